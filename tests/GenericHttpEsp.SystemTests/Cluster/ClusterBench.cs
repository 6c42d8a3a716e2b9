using System.Globalization;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.SystemTests.Fire;
using Npgsql;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Silos as processes on one database, with one key file, each on ports of its own.</summary>
internal sealed class ClusterBench : FireDriver
{
    // Seconds between probes; three missed ones make a silo suspect. Short, so that tests are; not so short that a busy machine is taken for a dead one.
    private const int ProbeSeconds = 2;
    private const int ActiveStatus = 3;

    // What SiloEnd ends with.
    public const int DeclaredDead = 75;
    private const int BodiesKept = 200;
    private static readonly TimeSpan HeardMax = TimeSpan.FromSeconds(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-fire-cluster-").FullName;
    private readonly string _database;
    private readonly bool _ownsSandbox;
    private int _nextDoor;

    private ClusterBench(
        SandboxHost sandbox, string database, int silos, bool isNetworked, string[] more, string[] ofTheLast, ClusterBench? original = null)
        : base(sandbox)
    {
        (_database, _ownsSandbox) = (database, original is null);
        string[] arguments =
        [
            $"--Secrets:KeyFile={Path.Combine(original?._folder ?? _folder, "secret.key")}",
            $"--Dispatch:AllowedNetworks:0={sandbox.Address.Host}",
            // Stands in every message: without it each silo would write its own address, and nothing could be repeated by another.
            "--PublicUrl=https://mail.example.com",
            $"--Dispatch:AttemptTimeoutSeconds={AttemptTimeoutSeconds}",
            $"--Cluster:ProbeSeconds={ProbeSeconds}",
            .. more,
        ];
        var reached = isNetworked ? PostgresProcess.Remote(database) : database;
        Silos = [.. Enumerable.Range(0, silos).Select(i => new ClusterSilo(
            Path.Combine(_folder, NameOf(i)),
            [$"--ConnectionStrings:Postgres={reached};Application Name={NameOf(i)}", .. arguments, .. i == silos - 1 ? ofTheLast : []],
            isNetworked ? i : null))];
    }

    public IReadOnlyList<ClusterSilo> Silos { get; }

    /// <summary>Of a silo and its connections.</summary>
    public static string NameOf(int silo) => string.Create(CultureInfo.InvariantCulture, $"silo{silo}");

    /// <summary>Connection string.</summary>
    public string Database => _database;

    /// <summary>How long the first start took: what a start takes on this machine.</summary>
    public TimeSpan FirstStart { get; private set; }

    public override HttpClient Door => Silos.First(static silo => silo is { IsUp: true, Server.HasEnded: false }).Server.Client;

    /// <param name="server">Where the database is made.</param>
    /// <param name="silos">How many are started.</param>
    /// <param name="behaviour">Of the sandbox.</param>
    /// <param name="failPoints">Of the first silos; see <see cref="ClusterSilo.Launch"/>.</param>
    /// <param name="program">Another build for these first processes.</param>
    /// <param name="network">Of as many silos; null for loopback.</param>
    /// <param name="later">How many more join with <see cref="StartAllAsync"/>.</param>
    /// <param name="ofTheLast">Settings of the last silo alone.</param>
    /// <param name="more">Settings of all silos.</param>
    public static async Task<ClusterBench> StartAsync(
        PostgresProcess server,
        int silos = 3,
        SandboxBehaviour? behaviour = null,
        string[]? failPoints = null,
        string? program = null,
        SiloNetwork? network = null,
        int later = 0,
        string[]? ofTheLast = null,
        params string[] more)
    {
        var sandbox = await SandboxAsync(behaviour, BodiesKept, network is null ? null : SiloNetwork.Host);
        var bench = new ClusterBench(sandbox, await server.NewDatabaseAsync(), silos + later, network is not null, more, ofTheLast ?? []);
        return await StartedAsync(bench, failPoints, program, silos);
    }

    /// <summary>New silos on a copy of the database, with the same key file, ESP and name of the cluster.</summary>
    public static Task<ClusterBench> BesideAsync(ClusterBench original, string database, int silos) =>
        StartedAsync(new ClusterBench(original.Sandbox, database, silos, isNetworked: false, [], [], original), null, null, silos);

    private static async Task<ClusterBench> StartedAsync(ClusterBench bench, string[]? failPoints, string? program, int silos)
    {
        try
        {
            var began = TimeProvider.System.GetTimestamp();
            await bench.StartAsync(bench.Silos.Take(silos), silos, failPoints, program);
            bench.FirstStart = TimeProvider.System.GetElapsedTime(began);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts those that are not up, all at once, and waits until they have met.</summary>
    public Task StartAllAsync(string[]? failPoints = null, string? program = null) => StartAsync(Silos, Silos.Count, failPoints, program);

    private async Task StartAsync(IEnumerable<ClusterSilo> silos, int meet, string[]? failPoints, string? program)
    {
        var down = silos.Where(static silo => !silo.IsUp).ToList();
        foreach (var (i, silo) in down.Index())
        {
            silo.Launch(failPoints?.ElementAtOrDefault(i), program);
        }

        await Task.WhenAll(down.Select(static silo => silo.ListenAsync()));
        await MetAsync(meet);
    }

    /// <summary>Those that were declared dead, and those that end before all have met, are started again. Answers how many had ended.</summary>
    public async Task<int> RestartEndedAsync()
    {
        var ended = 0;
        using var limit = Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        do
        {
            foreach (var silo in Silos.Where(static silo => silo.Server.HasEnded))
            {
                ended++;
                Assert.Equal(DeclaredDead, await silo.EndAsync());
                await silo.StartAsync();
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
        while (Silos.Any(static silo => silo.Server.HasEnded) || await ActiveAsync() != Silos.Count);
        return ended;
    }

    /// <summary>Waits until so many silos are active by the membership table.</summary>
    public async Task MetAsync(int silos)
    {
        using var limit = Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await ActiveAsync() != silos)
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    public Task<int> ActiveAsync() => ReadAsync(static session => session.FirstAsync(
        "select count(*)::int from OrleansMembership where Status = @active", static row => row.GetInt32(0), ("@active", ActiveStatus)));

    /// <summary>Another silo with each call, as a load balancer without memory.</summary>
    public HttpClient NextDoor()
    {
        var up = Silos.Where(static silo => silo.IsUp).ToList();
        return up[(int)((uint)Interlocked.Increment(ref _nextDoor) % up.Count)].Server.Client;
    }

    /// <summary>Ids as far apart as in a large installation, so that a few thousand people make so many partitions.</summary>
    public async Task ImportAsync(int people, int partitions, string list = Everybody)
    {
        var step = Math.Max(1, partitions * 8 * 4096 / people);
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var alter = new NpgsqlCommand(
            string.Create(CultureInfo.InvariantCulture, $"alter table profiles alter column id set increment by {step}"), connection);
        await alter.ExecuteNonQueryAsync();
        await ImportAsync(people, list);
    }

    /// <summary>Kills a silo. Answers how many of its requests were open, by the sandbox's log; the kill counts only if that is any.</summary>
    public async Task<int> KillAsync(ClusterSilo silo)
    {
        var before = Sandbox.Entries()[^1].Sequence;
        await silo.KillAsync();
        // Its connections are reset with its end; on a busy machine the sandbox hears of it later.
        var killed = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        int open;
        do
        {
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            open = Sandbox.Entries(before).Count(static entry => entry.Kind == SandboxEntryKind.Aborted);
        }
        while (open == 0 && TimeProvider.System.GetElapsedTime(killed) < HeardMax);
        return open;
    }

    /// <summary>Waits until every partition that had something left to claim at a time has claimed again; answers how long after it the last one did.</summary>
    public async Task<TimeSpan> ResumedAsync(DateTimeOffset since)
    {
        using var limit = Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var open = await UnclaimedAsync();
        while (true)
        {
            var claims = await ClaimsAsync(since);
            if (open.All(claims.ContainsKey))
            {
                return open.Count == 0 ? TimeSpan.Zero : open.Max(partition => claims[partition]) - since;
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    public override async Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read)
    {
        var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var session = new LedgerSession(connection, StorageEngine.PostgreSql);
        return await read(session);
    }

    private Task<List<long>> UnclaimedAsync() => ReadAsync(static session => session.QueryAsync(
        "select id from partitions where state = 'open' and cursor < last_id", static row => row.GetInt64(0)));

    private async Task<Dictionary<long, DateTimeOffset>> ClaimsAsync(DateTimeOffset since)
    {
        var rows = await ReadAsync(session => session.QueryAsync(
            "select partition_id, min(claimed_at) from batches where claimed_at >= @since group by partition_id",
            static row => (row.GetInt64(0), row.GetInt64(1)),
            ("@since", since.ToUnixTimeMilliseconds())));
        return rows.ToDictionary(static row => row.Item1, static row => DateTimeOffset.FromUnixTimeMilliseconds(row.Item2));
    }

    public override Task EndServersAsync() => Task.WhenAll(Silos.Where(static silo => silo.IsUp).Select(static silo => silo.TermAsync()));

    public override async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos)
        {
            silo.Dispose();
            if (Environment.GetEnvironmentVariable("GHE_FIRE_LOGS") is { Length: > 0 } logs)
            {
                await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(logs).FullName, $"{Path.GetFileName(_folder)}-{silo.SiloPort}.log"), silo.Output);
            }
        }

        await (_ownsSandbox ? Sandbox.DisposeAsync() : ValueTask.CompletedTask);
        Directory.Delete(_folder, recursive: true);
    }
}
