using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Batches of old runs of finished campaigns. The run is marked first: from then on reports say "older than retention", and nobody is retried. A run with
/// something unknown is kept until that is resolved.
/// </summary>
internal sealed class BatchRetention(LedgerDatabase database, Retention retention, TimeProvider time) : IRetentionJob
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

    public string Removes => "batches and their runs";

    public async Task<int> StepAsync(CancellationToken cancellationToken)
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
