using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;

namespace GenericHttpEsp.Tests.Storage;

public sealed class MonthPartitionsTests(PostgresServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The first event of a month comes to several silos at once: all have looked, one after the other makes the partition.</summary>
    [Fact]
    public async Task Month_ThatSeveralSilosMakeAtOnce_IsMadeOnce()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        await using var session = await ledger.Database.OpenSessionAsync(Stop);
        await session.ExecuteAsync($"select pg_advisory_lock({MonthPartitions.LockId})");
        var silos = Enumerable.Range(0, 4).Select(_ => new MonthPartitions(ledger.Database).EnsureAsync("events", [20270301], Stop)).ToList();
        Assert.True(await SiloPair.UntilAsync(() => Waiting(session) == silos.Count, Patience, Stop));

        await session.ExecuteAsync($"select pg_advisory_unlock({MonthPartitions.LockId})");
        await Task.WhenAll(silos);

        Assert.Equal([202703], await new MonthPartitions(ledger.Database).MonthsAsync("events", Stop));
    }

    private static long Waiting(LedgerSession session)
    {
        using var command = session.Connection.CreateCommand();
        command.CommandText = "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())";
        return (long)command.ExecuteScalar()!;
    }
}
