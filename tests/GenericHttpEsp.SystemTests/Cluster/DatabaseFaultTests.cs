using System.Net;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;
using Npgsql;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>PostgreSQL goes away, stands still, has no room or has gone back, while three silos send and callers call. Each test has a server of its own.</summary>
[Collection(ClusterFire.Name)]
public sealed class DatabaseFaultTests
{
    private const int Size = 50;

    // The send window, and from the gate to the log of a busy sandbox.
    private static readonly TimeSpan SendsNoLonger = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan ResumeMax = TimeSpan.FromSeconds(10);
    private static readonly SandboxBehaviour Slow = new() { LatencyMilliseconds = 300, LatencyJitterMilliseconds = 200 };

    /// <summary>F6: the whole server is away for a while.</summary>
    [Fact]
    public async Task Sigkill_OfPostgres_NothingIsSentOrAcknowledgedUntilItIsBack()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var bench = await ClusterBench.StartAsync(postgres, behaviour: Slow);
        var (campaign, people) = await SendingAsync(bench);
        var callers = await OutageCallers.StartAsync(bench, campaign);

        await postgres.KillAsync();
        var gone = TimeProvider.System.GetUtcNow();
        await AwayAsync(TimeSpan.FromSeconds(FireSize.Of(ci: 4, full: 30)));
        await bench.SettleAsync();
        var back = TimeProvider.System.GetUtcNow();
        await postgres.RestartAsync();
        var started = TimeProvider.System.GetTimestamp();
        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(started);

        Assert.InRange(recovery, TimeSpan.Zero, ResumeMax);
        callers.WereTurnedAway(bench, gone, back);
        NothingBegan(bench, gone, back);
        await callers.HoldsAsync(bench);
        (await FireVerdict.HoldsAsync(bench, campaign, people, OnTheWire(bench, gone))).Report("F6: SIGKILL of PostgreSQL; seconds from its start to the next request", 1, recovery);
    }

    /// <summary>F6: one of its children; it ends all others itself and recovers.</summary>
    [Fact]
    public async Task Sigkill_OfOneBackend_TheyGoOnSoon()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var bench = await ClusterBench.StartAsync(postgres, behaviour: Slow);
        var (campaign, people) = await SendingAsync(bench);
        var callers = await OutageCallers.StartAsync(bench, campaign);

        await postgres.KillOneBackendAsync(new NpgsqlConnectionStringBuilder(bench.Database).Database!);
        var killed = TimeProvider.System.GetUtcNow();
        await postgres.ReadyAsync();
        var recovery = await bench.ResumedAsync(killed);

        Assert.InRange(recovery, TimeSpan.Zero, ResumeMax);
        await callers.HoldsAsync(bench);
        (await FireVerdict.HoldsAsync(bench, campaign, people, OnTheWire(bench, killed))).Report("F6: SIGKILL of one backend", 1, recovery);
    }

    /// <summary>F7: claims and outcomes wait; a claim that comes through late is not sent.</summary>
    [Fact]
    public async Task LockedTables_LetNothingBeSentLate()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var bench = await ClusterBench.StartAsync(postgres, behaviour: Slow);
        var (campaign, people) = await SendingAsync(bench);
        DateTimeOffset locked, released;
        await using (var connection = new NpgsqlConnection(bench.Database))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var transaction = await LockTablesAsync(connection);
            locked = TimeProvider.System.GetUtcNow();
            await AwayAsync(TimeSpan.FromSeconds(FireSize.Of(ci: 4, full: 10)));
            released = TimeProvider.System.GetUtcNow();
            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        }

        var recovery = await bench.ResumedAsync(released);
        Assert.InRange(recovery, TimeSpan.Zero, ResumeMax);
        NothingBegan(bench, locked, released);
        (await FireVerdict.HoldsAsync(bench, campaign, people, OnTheWire(bench, locked))).Report($"F7: tables locked for {(released - locked).TotalSeconds:f0} s", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    /// <summary>F7: all connections of the server are taken by somebody else.</summary>
    [Fact]
    public async Task NoConnections_NothingIsSentUntilThereAreAgain()
    {
        const int Connections = 40;
        await using var postgres = await PostgresProcess.StartAsync(more: $"-c max_connections={Connections}");
        await using var bench = await ClusterBench.StartAsync(postgres, silos: 2, behaviour: Slow, more: ["--Storage:ReadersMax=4", "--Storage:WritersMax=2"]);
        var (campaign, people) = await SendingAsync(bench);
        var callers = await OutageCallers.StartAsync(bench, campaign);

        var held = await TakeAllConnectionsAsync(bench.Database, Connections);
        var gone = TimeProvider.System.GetUtcNow();
        await AwayAsync(TimeSpan.FromSeconds(FireSize.Of(ci: 5, full: 30)));
        var back = TimeProvider.System.GetUtcNow();
        held.ForEach(static connection => connection.Dispose());
        var recovery = await bench.ResumedAsync(back);

        Assert.InRange(recovery, TimeSpan.Zero, ResumeMax);
        callers.WereTurnedAway(bench, gone, back);
        NothingBegan(bench, gone, back);
        await callers.HoldsAsync(bench);
        (await FireVerdict.HoldsAsync(bench, campaign, people, OnTheWire(bench, gone))).Report("F7: no connection left", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    /// <summary>F9: no room for its log, until somebody makes some.</summary>
    [Fact]
    public async Task FullDisk_NothingIsSentOrAcknowledgedUntilThereIsRoom()
    {
        await using var disk = await SmallDisk.MountAsync(megabytes: 200);
        await using var postgres = await PostgresProcess.StartAsync(disk.Folder("data"), "-c max_wal_size=48MB -c min_wal_size=32MB -c max_connections=200");
        await using var bench = await ClusterBench.StartAsync(postgres, behaviour: Slow);
        var (campaign, people) = await SendingAsync(bench);
        var callers = await OutageCallers.StartAsync(bench, campaign);

        await disk.FillAsync();
        await UseUpTheLogAsync(postgres);
        var full = TimeProvider.System.GetUtcNow();
        await callers.ToldAsync(HttpStatusCode.ServiceUnavailable);
        await AwayAsync(TimeSpan.FromSeconds(FireSize.Of(ci: 5, full: 30)));
        await bench.SettleAsync();
        var back = TimeProvider.System.GetUtcNow();
        disk.Free();
        await postgres.ReadyAsync();
        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetUtcNow() - back;

        Assert.InRange(recovery, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        callers.WereTurnedAway(bench, full, back);
        NothingBegan(bench, full, back);
        await callers.HoldsAsync(bench);
        (await FireVerdict.HoldsAsync(bench, campaign, people, OnTheWire(bench, full))).Report("F9: PostgreSQL's disk full; seconds from room to the next request", 1, recovery);
    }

    /// <summary>Claims take rows of the one table first, outcomes of the other: whoever locks both may be the one whom PostgreSQL picks to end a deadlock.</summary>
    private static async Task<NpgsqlTransaction> LockTablesAsync(NpgsqlConnection connection)
    {
        while (true)
        {
            var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
            try
            {
                await using var command = new NpgsqlCommand("lock table partitions, batches", connection, transaction);
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                return transaction;
            }
            catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                await transaction.DisposeAsync();
            }
        }
    }

    private static async Task<(long Campaign, int People)> SendingAsync(ClusterBench bench)
    {
        var people = FireSize.Of(ci: 3000, full: 50_000);
        await bench.ImportAsync(people, partitions: 8);
        var campaign = await bench.CampaignAsync(Size, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(10);
        return (campaign, people);
    }

    /// <summary>The fault lasts: the one thing that is waited for is time.</summary>
    private static Task AwayAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);

    private static void NothingBegan(ClusterBench bench, DateTimeOffset from, DateTimeOffset until) => Assert.DoesNotContain(
        bench.Sandbox.Entries(), entry => entry.Kind == SandboxEntryKind.Head && entry.At > from + SendsNoLonger && entry.At < until);

    /// <summary>People in requests that were open then, or so shortly before that their outcome may not have been recorded, or shortly after.</summary>
    private static int OnTheWire(ClusterBench bench, DateTimeOffset moment)
    {
        var log = bench.Sandbox.Entries();
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.At);
        return log.Where(entry => entry.Kind == SandboxEntryKind.End && heads[entry.Request] < moment + SendsNoLonger && entry.At > moment - SendsNoLonger)
            .Sum(static entry => entry.Records ?? 0);
    }

    /// <summary>Ends everybody else's connections and is faster at taking the place.</summary>
    private static async Task<List<NpgsqlConnection>> TakeAllConnectionsAsync(string database, int connections)
    {
        var settings = new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString();
        var held = new List<NpgsqlConnection>();
        while (true)
        {
            try
            {
                var connection = new NpgsqlConnection(settings);
                await connection.OpenAsync();
                held.Add(connection);
            }
            catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                await using var end = new NpgsqlCommand(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'client backend' and pid <> all(@mine)", held[0]);
                end.Parameters.AddWithValue("mine", held.Select(static connection => connection.ProcessID).ToArray());
                await end.ExecuteScalarAsync();
                // Who is still saying who he is counts, and is not seen.
                if (held.Count == connections)
                {
                    NpgsqlConnection.ClearAllPools();
                    return held;
                }
            }
        }
    }

    /// <summary>Segments that were prepared are used up; the next needs room, and the server gives up.</summary>
    private static async Task UseUpTheLogAsync(PostgresProcess postgres)
    {
        using var limit = FireDriver.Limit();
        try
        {
            while (true)
            {
                await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
                await connection.OpenAsync(limit.Token);
                await using var use = new NpgsqlCommand("select pg_current_xact_id(), pg_switch_wal()", connection);
                await use.ExecuteNonQueryAsync(limit.Token);
            }
        }
        catch (NpgsqlException)
        {
            // No room.
        }
    }
}
