using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Storage;

/// <summary>A start on PostgreSQL decides whether the database is the one that the silos left. Recoveries are played by emptying what a recovery empties.</summary>
public sealed class DatabaseBeatTests(PostgresServer server) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AgainAndAgain_IsNotMarked()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await StartAsync(ledger);
        await StartAsync(ledger);
        Assert.Null(await MarkAsync(ledger));
    }

    /// <summary>Two rows would be read in turns, and one of them looks like a database that has gone back.</summary>
    [Fact]
    public async Task Start_OfManyAtOnceOnANewDatabase_WritesOneBeat()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        for (var round = 0; round < 10; round++)
        {
            await SqlAsync(ledger, "delete from beat");
            await SqlAsync(ledger, "delete from unbroken");
            await Task.WhenAll(Enumerable.Range(0, 6).Select(silo => StartAsync(ledger, Path.Combine(_folder.Path, $"{round}-{silo}"))));
            Assert.Equal(1, await ledger.Database.ReadAsync(static session => session.FirstAsync("select count(*)::int from beat", static row => row.GetInt32(0))));
        }

        Assert.Null(await MarkAsync(ledger));
    }

    [Fact]
    public async Task Start_AfterACrashOfAll_KnowsItsDatabase()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await StartAsync(ledger);
        await RecoverAsync(ledger);
        await StartAsync(ledger);
        Assert.Null(await MarkAsync(ledger));
        Assert.Equal(1, await RecoverAsync(ledger));
    }

    /// <summary>A base backup on another server, and silos that never ran.</summary>
    [Fact]
    public async Task Start_OfAStrangerAfterARecovery_IsMarked_AndForgetsTheOldSilos()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await StartAsync(ledger);
        await SqlAsync(ledger, "insert into OrleansMembershipVersion (DeploymentId) values ('fire')");
        await SqlAsync(ledger, "insert into OrleansMembership values ('fire', '10.0.0.1', 11111, 1, 's', 'h', 3, 30000, null, now(), now())");
        await RecoverAsync(ledger);
        using var elsewhere = new TemporaryFolder();
        using var third = new TemporaryFolder();

        var starts = await Task.WhenAll(StartAsync(ledger, elsewhere.Path), StartAsync(ledger, third.Path));

        Assert.Contains("no silo is left that remembers", await MarkAsync(ledger), StringComparison.Ordinal);
        Assert.Equal(0, await SqlAsync(ledger, "delete from OrleansMembership"));
        await RestoreMark.ClearAsync(ledger.Database, (await MarkAsync(ledger))!, Stop);
        foreach (var beat in starts)
        {
            await beat.BeatAsync(Stop);
        }

        // Judged once; the first silo, of which another knows more now, does not do it again.
        await StartAsync(ledger);
        Assert.Null(await MarkAsync(ledger));
    }

    [Fact]
    public async Task Start_OfAStrangerBesideOneThatRuns_IsNotMarked()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        using var running = await StartAsync(ledger);
        using var elsewhere = new TemporaryFolder();
        await RecoverAsync(ledger);

        var start = StartAsync(ledger, elsewhere.Path);
        await running.StartAsync(Stop);
        using var stranger = await start;
        await running.StopAsync(Stop);

        Assert.Null(await MarkAsync(ledger));
    }

    [Fact]
    public async Task Start_OnAnOlderState_IsMarked()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await StartAsync(ledger);
        await SqlAsync(ledger, "update beat set at = at - 2000");
        await StartAsync(ledger);
        Assert.Contains("older than what this silo last saw", await MarkAsync(ledger), StringComparison.Ordinal);
    }

    /// <summary>The log of the copy may have grown beyond what was remembered of the original's.</summary>
    [Fact]
    public async Task Beat_OnAnOlderState_MarksAndTells()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        using var beat = await StartAsync(ledger);
        var told = 0;
        ledger.Database.WentBack += () => told++;
        await beat.BeatAsync(Stop);
        Assert.Equal((0, null), (told, await MarkAsync(ledger)));
        await SqlAsync(ledger, "update beat set at = at - 2000");

        await beat.BeatAsync(Stop);

        Assert.Equal(1, told);
        Assert.Contains("wrote last is not in it", await MarkAsync(ledger), StringComparison.Ordinal);
        await RestoreMark.ClearAsync(ledger.Database, (await MarkAsync(ledger))!, Stop);
        await beat.BeatAsync(Stop);
        Assert.Null(await MarkAsync(ledger));
    }

    [Fact]
    public async Task Start_AfterAnotherTimeline_IsMarkedUnlessFailoversAreTrusted()
    {
        foreach (var trusts in (bool[])[false, true])
        {
            await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server, configure: options => options.TrustsFailover = trusts);
            await StartAsync(ledger);
            await RecoverAsync(ledger);
            await SqlAsync(ledger, "update beat set timeline = timeline + 1");
            await StartAsync(ledger);
            Assert.Equal(trusts, await MarkAsync(ledger) is null);
        }
    }

    [Fact]
    public async Task Start_WhereNoFileCanBeWritten_WorksWithoutMemory()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "taken"), "", Stop);
        await StartAsync(ledger, Path.Combine(_folder.Path, "taken"));
        await StartAsync(ledger, Path.Combine(_folder.Path, "taken"));
        Assert.Null(await MarkAsync(ledger));
    }

    public void Dispose() => _folder.Dispose();

    private Task<DatabaseBeat> StartAsync(TestLedger ledger) => StartAsync(ledger, _folder.Path);

    private static async Task<DatabaseBeat> StartAsync(TestLedger ledger, string directory)
    {
        var options = Options.Create(new StorageOptions { DataDirectory = directory, TrustsFailover = ledger.Options.TrustsFailover });
        var beat = new DatabaseBeat(ledger.Database, options, TimeProvider.System, NullLogger<DatabaseBeat>.Instance);
        await new DatabaseHome(ledger.Database, beat, options).PrepareAsync(Stop);
        return beat;
    }

    /// <summary>Outside of the writer: what touches nothing else is not flushed at its commit.</summary>
    private static async Task<int> RecoverAsync(TestLedger ledger)
    {
        await using var session = await ledger.Database.OpenSessionAsync(Stop);
        return await session.ExecuteAsync("delete from unbroken");
    }

    private static Task<string?> MarkAsync(TestLedger ledger) => RestoreMark.ReadAsync(ledger.Database, Stop);

    private static Task<int> SqlAsync(TestLedger ledger, string sql) => ledger.Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync(sql));
}
