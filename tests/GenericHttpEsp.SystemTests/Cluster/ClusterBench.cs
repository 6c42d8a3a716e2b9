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
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-fire-cluster-").FullName;
    private readonly string _database;

    private ClusterBench(SandboxHost sandbox, string database, int silos, string[] more)
        : base(sandbox)
    {
        _database = database;
        string[] arguments =
        [
            $"--ConnectionStrings:Postgres={database}",
            $"--Secrets:KeyFile={Path.Combine(_folder, "secret.key")}",
            "--Dispatch:AllowedNetworks:0=127.0.0.1",
            $"--Dispatch:AttemptTimeoutSeconds={AttemptTimeoutSeconds}",
            .. more,
        ];
        Silos = [.. Enumerable.Range(0, silos).Select(i => new ClusterSilo(Path.Combine(_folder, $"silo{i}"), arguments))];
    }

    public IReadOnlyList<ClusterSilo> Silos { get; }

    public override HttpClient Door => Silos.First(static silo => silo.IsUp).Server.Client;

    /// <param name="server">Where the database is made.</param>
    /// <param name="silos">How many are started.</param>
    /// <param name="behaviour">Of the sandbox.</param>
    /// <param name="more">Settings of all silos.</param>
    public static async Task<ClusterBench> StartAsync(PostgresProcess server, int silos = 3, SandboxBehaviour? behaviour = null, params string[] more)
    {
        var bench = new ClusterBench(await SandboxAsync(behaviour), await server.NewDatabaseAsync(), silos, more);
        try
        {
            await bench.StartAllAsync();
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts those that are not up, all at once, and waits until they have met.</summary>
    public async Task StartAllAsync()
    {
        var down = Silos.Where(static silo => !silo.IsUp).ToList();
        down.ForEach(static silo => silo.Launch());
        await Task.WhenAll(down.Select(static silo => silo.ListenAsync()));
        await MetAsync(Silos.Count);
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

    /// <summary>Ids as far apart as in a large installation, so that a few thousand people make so many partitions.</summary>
    public async Task ImportAsync(int people, int partitions)
    {
        var step = Math.Max(1, partitions * 8 * 4096 / people);
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var alter = new NpgsqlCommand(
            string.Create(CultureInfo.InvariantCulture, $"alter table profiles alter column id set increment by {step}"), connection);
        await alter.ExecuteNonQueryAsync();
        await ImportAsync(people);
    }

    public override async Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read)
    {
        var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var session = new LedgerSession(connection, StorageEngine.PostgreSql);
        return await read(session);
    }

    public override Task EndServersAsync() => Task.WhenAll(Silos.Where(static silo => silo.IsUp).Select(static silo => silo.TermAsync()));

    public override async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos)
        {
            silo.Dispose();
            TestContext.Current.TestOutputHelper?.WriteLine(silo.Output);
        }

        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
