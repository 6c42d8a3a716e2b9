using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Wiring;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>What a silo meets when it starts at a bad moment.</summary>
public sealed class BadDayTests(PostgresServer server)
{
    [Fact]
    public async Task Start_WithoutTheDatabase_WaitsUntilItIsThere()
    {
        var there = new NpgsqlConnectionStringBuilder(await server.NewDatabaseAsync(TestContext.Current.CancellationToken));
        var missing = new NpgsqlConnectionStringBuilder(there.ToString()) { Database = $"{there.Database}_later" };
        await using var source = PostgresLedger.Source(missing.ToString());
        await using var ledger = new PostgresLedger(source, Options.Create(new StorageOptions()), TimeProvider.System, NullLogger<PostgresLedger>.Instance);
        var time = new FakeTimeProvider();
        var log = new LogLines<DatabaseWait>();

        var opening = new DatabaseWait(ledger, time, log).OpenAsync(TestContext.Current.CancellationToken);
        await TurnAsync(opening, time, () => log.Lines.Count > 0);
        Assert.False(opening.IsCompleted);
        Assert.Contains("does not exist", log.Lines.Last(), StringComparison.Ordinal);
        await using (var connection = new NpgsqlConnection(there.ToString()))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var create = new NpgsqlCommand($"create database {missing.Database}", connection);
            await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await TurnAsync(opening, time, () => false);
        await (await opening).DisposeAsync();
        Assert.Single(log.Lines);
    }

    [Fact]
    public async Task Start_BesideAClusterOfAnotherName_WaitsForItsEnd()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await SqlAsync(ledger.Database, "insert into OrleansMembershipVersion (DeploymentId) values ('blue')");
        await SqlAsync(
            ledger.Database,
            "insert into OrleansMembership values ('blue', '10.0.0.1', 11111, 1, 's', 'h', 3, 30000, null, now(), now()), ('blue', '10.0.0.2', 11111, 1, 's', 'h', 3, 30000, null, now(), now() - interval '1 day')");
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var log = new LogLines<OtherClusters>();

        var waiting = new OtherClusters(ledger.Database, Options.Create(new ClusterOptions { ClusterId = "green" }), time, log)
            .WaitAsync(TestContext.Current.CancellationToken);
        await TurnAsync(waiting, time, () => log.Lines.Count > 0);
        Assert.False(waiting.IsCompleted);
        Assert.Contains("blue", log.Lines.Last(), StringComparison.Ordinal);
        await SqlAsync(ledger.Database, "update OrleansMembership set Status = 6");

        await TurnAsync(waiting, time, () => false);
        await waiting;
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_InADatabaseMarkedAsRestored_IsRefused(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.Database.WriteAsync(WriteKind.Event, async session =>
        {
            await RestoreMark.SetAsync(session, "a test");
            return 0;
        });

        Assert.Null(await sample.Partitions.TakeAsync(sample.Partition, countsAsStart: true, default));
        if (engine == nameof(StorageEngine.PostgreSql))
        {
            Assert.Equal(GenericHttpEsp.Dispatch.ClaimStatus.Fenced, (await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids)).Status);
        }
    }

    /// <summary>Another table under the old name stands for a database that was replaced under the running silo.</summary>
    [Fact]
    public async Task Database_ThatWentBack_IsMarked_AndWhatWasKnownOfItIsForgotten()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var months = new MonthPartitions(ledger.Database);
        await (await ledger.Database.OpenSessionAsync(TestContext.Current.CancellationToken)).DisposeAsync();
        await months.EnsureAsync("events", [20260101], default);
        await SqlAsync(ledger.Database, "drop table events_202601");
        await SqlAsync(ledger.Database, "create table new_settings (like settings including all)");
        await SqlAsync(ledger.Database, "drop table settings");
        await SqlAsync(ledger.Database, "alter table new_settings rename to settings");
        await months.EnsureAsync("events", [20260101], default);
        Assert.DoesNotContain(202601, await months.MonthsAsync("events", default));

        await (await ledger.Database.OpenSessionAsync(TestContext.Current.CancellationToken)).DisposeAsync();

        Assert.Contains("another database", await RestoreMark.ReadAsync(ledger.Database, default), StringComparison.Ordinal);
        await months.EnsureAsync("events", [20260101], default);
        Assert.Contains(202601, await months.MonthsAsync("events", default));
    }

    private static async Task TurnAsync(Task until, FakeTimeProvider time, Func<bool> isEnough)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!until.IsCompleted && !isEnough())
        {
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static Task<int> SqlAsync(LedgerDatabase database, string sql) => database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync(sql));
}
