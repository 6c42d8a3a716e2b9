using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Statements about one run look at one month of the ledger.</summary>
public sealed partial class BatchPlansTests(PostgresServer server)
{
    [Fact]
    public async Task EveryStatement_TouchesItsOwnMonthOnly()
    {
        var statements = new ConcurrentDictionary<string, bool>();
        await using var sample = await LedgerSample.CreateAsync(
            nameof(StorageEngine.PostgreSql), server, statements: sql => statements.TryAdd(sql, true));
        await new MonthPartitions(sample.Database).EnsureAsync("batches", [20251001, 20261001, 20261231, 20270101], default);
        await WorkAsync(sample);

        // The rows of a set are inserted by their own dates; nothing is searched.
        var searching = statements.Keys.Where(static sql => sql.Contains("batches", StringComparison.Ordinal) && !sql.StartsWith("insert into batches", StringComparison.Ordinal)
            && !sql.StartsWith("alter table", StringComparison.Ordinal) && !sql.StartsWith("create table", StringComparison.Ordinal)
            && !sql.Contains("partition of", StringComparison.Ordinal)).ToList();
        Assert.True(searching.Count >= 15, string.Join("\n---\n", searching));
        await using var session = await sample.Database.OpenSessionAsync(default);
        foreach (var sql in searching)
        {
            await using var transaction = await session.Connection.BeginTransactionAsync();
            session.Transaction = transaction;
            var plan = await session.QueryAsync("explain (analyze, costs off, timing off, summary off) " + Parameter().Replace(sql, Value), static row => row.GetString(0));
            await transaction.RollbackAsync();
            session.Transaction = null;
            var touched = plan.Where(static line => !line.Contains("never executed", StringComparison.Ordinal))
                .Select(static line => ScannedMonth().Match(line)).Where(static match => match.Success).Select(static match => match.Groups[1].Value).Distinct().ToList();
            Assert.True(touched.TrueForAll(static month => month == "202611"), $"{sql}\n{string.Join('\n', plan)}");
        }
    }

    /// <summary>The default compression takes longer than everything else in an insert: months made by a migration, and those made later, must both do without it.</summary>
    [Fact]
    public async Task ArraysOfIds_AreNotCompressedByTheSlowDefault()
    {
        await using var sample = await LedgerSample.CreateAsync(nameof(StorageEngine.PostgreSql), server);
        await new MonthPartitions(sample.Database).EnsureAsync("batches", [20261001, 20270101], default);
        var slow = await sample.Database.ReadAsync(session => session.QueryAsync(
            """
            select attrelid::regclass || '.' || attname from pg_attribute join pg_class c on c.oid = attrelid
            where c.relkind in ('r', 'p') and attname in ('ids', 'hashes', 'outcome') and (c.relname = 'audience' or c.relname like 'batches%')
              and attcompression <> 'l' and attstorage <> 'e'
            """,
            static row => row.GetString(0)));
        Assert.Empty(slow);
    }

    /// <summary>A bit of everything: outcomes in a set and alone, later, unknown, proved, resolved, retried, stopped; and the reports.</summary>
    private static async Task WorkAsync(LedgerSample sample)
    {
        var ids = sample.Ids;
        var first = (await sample.ClaimAsync(sample.Lease.Cursor, ids[..4])).Batches[0];
        var second = (await sample.ClaimAsync(ids[3], ids[4..8])).Batches[0];
        await sample.Outcomes.CloseUnsentAsync(sample.Partition, "nobody's", default);
        await Report(sample, first, RecordOutcome.Refused);
        await Report(sample, second, RecordOutcome.ToCome, new Successor(0, 4, TimeSpan.Zero, CountsAsAttempt: true));
        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        var again = (await sample.Claims.ReclaimAsync(new ReclaimRequest(sample.Owner(), row.Id, sample.Draft(row.Ids)), default)).Batches[0];
        await Report(sample, again, RecordOutcome.Unknown);
        await sample.Outcomes.ExpireAsync(LedgerSample.Campaign, default);
        await sample.Partitions.CountsAsync(LedgerSample.Campaign, default);
        await sample.Partitions.AnyClaimedAsync(LedgerSample.Campaign, default);
        await sample.Unknown.PageAsync(LedgerSample.Campaign, 0, 10, default);
        await sample.Database.WriteAsync(WriteKind.Event, session => RecordProof.ProveAsync(session, LedgerSample.Campaign, 1, 20261124, [ids[4]]));
        await sample.Unknown.ResolveAsync(LedgerSample.Campaign, null, RecordOutcome.Accepted, default);
        await sample.HoldsAsync();
        await new ErrorStore(sample.Database, sample.Partitions, new Retention(Microsoft.Extensions.Options.Options.Create(new RetentionOptions()), TimeProvider.System))
            .ReadAsync(LedgerSample.Campaign, default);
        var records = new RecordStore(sample.Database);
        await records.PageAsync(LedgerSample.Campaign, (1, 0), [RecordOutcome.Refused], 10, default);
        await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default);
        await sample.Partitions.StopAsync(LedgerSample.Campaign, 1, default);
        await sample.Retries.CreateAsync(LedgerSample.Campaign, 2, 20261124, DateTimeOffset.UnixEpoch, default);
    }

    private static Task Report(LedgerSample sample, ClaimedBatch batch, RecordOutcome news, params Successor[] successors) => sample.Outcomes.RecordAsync(
        new BatchReport(batch.Id, Array.ConvertAll(batch.Outcomes, _ => news), successors, "answer") { PartitionId = sample.Partition, RunDate = 20261124 }, default);

    private static string Value(Match parameter) => parameter.Value switch
    {
        "@date" or "@firstDate" or "@lastDate" => "20261124::bigint",
        "@dates" => "array[20261124]::bigint[]",
        "@campaign" => $"{LedgerSample.Campaign}::bigint",
        "@run" => "1",
        "@ids" => "array[1]::bigint[]",
        "@outcomes" => "array['\\x01'::bytea]",
        "@answers" => "array['no']",
        "@outcome" or "@hashes" => "'\\x01'::bytea",
        "@answer" or "@key" => "'no'",
        "@state" => "2::smallint",
        _ => "1::bigint",
    };

    [GeneratedRegex(@"@[a-zA-Z]+")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"Scan .*?\bbatches_(\d{6})")]
    private static partial Regex ScannedMonth();
}
