using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Batches of old runs of finished campaigns. The run is marked first: from then on reports say "older than retention", and nobody is retried. A run with
/// something unknown is kept until that is resolved; on PostgreSQL so is its month, whose partition goes as a whole.
/// </summary>
internal sealed class BatchRetention(LedgerDatabase database, MonthPartitions partitions, Retention retention, TimeProvider time) : IRetentionJob
{
    private const int RunsPerStep = 20;

    // 1000 people are 10 KB.
    private const int RowsPerStep = 100;

    // A campaign has a work row as long as anything of it may go on.
    private const string Finished =
        """
        not exists (select 1 from campaign_work w where w.campaign_id = r.campaign_id)
          and not exists (select 1 from partitions p where p.campaign_id = r.campaign_id and p.run = r.run and p.unknown > 0)
        """;

    public string Removes => database.Engine == StorageEngine.Sqlite ? "batches and their runs" : "months of batches";

    public Task<int> StepAsync(CancellationToken cancellationToken) =>
        database.Engine == StorageEngine.Sqlite ? RowsAsync(cancellationToken) : MonthAsync(cancellationToken);

    private async Task<int> MonthAsync(CancellationToken cancellationToken)
    {
        var from = retention.BatchesFrom / 100;
        foreach (var month in (await partitions.MonthsAsync("batches", cancellationToken)).TakeWhile(month => month < from))
        {
            if (await partitions.DropAsync("batches", month, session => MarkAsync(session, month), cancellationToken))
            {
                return 1;
            }
        }

        return 0;
    }

    /// <summary>
    /// Marks a month's runs, when all of them are finished. Looked for before, so that nothing is written in vain, and again once the marks hold the runs' rows: a
    /// retry that was announced meanwhile either waits for them and is refused, or is seen here.
    /// </summary>
    private async Task<bool> MarkAsync(LedgerSession session, long month)
    {
        if (await IsInUseAsync(session, month))
        {
            return false;
        }

        await session.ExecuteAsync(
            "update runs set batches_removed_at = @now where run_date between @first and @last and batches_removed_at is null",
            [.. Dates(month), ("@now", time.GetUtcNow().ToUnixTimeMilliseconds())]);
        return !await IsInUseAsync(session, month);
    }

    /// <summary>Open rows are looked for as well, in the words of their indexes: a partition that is dropped does not come back.</summary>
    private static async Task<bool> IsInUseAsync(LedgerSession session, long month) => await session.FirstAsync(
        $"""
        select 1 where exists (select 1 from runs r where r.run_date between @first and @last and not ({Finished}))
          or exists (select 1 from batches where run_date between @first and @last and state = 3)
          or exists (select 1 from batches where run_date between @first and @last and state in (0, 1) and state = 1)
        """,
        static row => row.GetInt32(0),
        Dates(month)) == 1;

    private static (string, object?)[] Dates(long month) => [("@first", month * 100), ("@last", (month * 100) + 99)];

    private async Task<int> RowsAsync(CancellationToken cancellationToken)
    {
        var marked = await database.WriteAsync(WriteKind.Import, MarkAsync, RunsPerStep, cancellationToken);
        var next = await database.ReadAsync(
            session => session.FirstAsync(
                """
                select r.campaign_id, r.run from runs r
                where r.batches_removed_at is not null and exists (select 1 from batches b where b.campaign_id = r.campaign_id and b.run = r.run)
                order by r.run_date limit 1
                """,
                static row => (Campaign: row.GetInt64(0), Run: (long)row.GetInt32(1))),
            cancellationToken);
        return marked + (next.Campaign == 0 ? 0 : await database.WriteAsync(
            WriteKind.Import,
            session => session.ExecuteAsync(
                $"""
                delete from batches where id in
                  (select id from batches where campaign_id = @campaign and run = @run order by last_id limit {RowsPerStep})
                """,
                ("@campaign", next.Campaign), ("@run", next.Run)),
            RowsPerStep,
            cancellationToken));
    }

    private Task<int> MarkAsync(LedgerSession session) => session.ExecuteAsync(
        $"""
        update runs set batches_removed_at = @now where (campaign_id, run) in (
          select r.campaign_id, r.run from runs r
          where r.run_date < @from and r.batches_removed_at is null and {Finished}
          order by r.run_date, r.campaign_id, r.run limit {RunsPerStep})
        """,
        ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@from", retention.BatchesFrom));
}
