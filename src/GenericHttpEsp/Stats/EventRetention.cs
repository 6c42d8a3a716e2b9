using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>Events of old runs, by whole months: rows on SQLite, partitions on PostgreSQL. What was counted stays counted.</summary>
internal sealed class EventRetention(LedgerDatabase database, MonthPartitions partitions, Retention retention) : IRetentionJob
{
    private const int RowsPerStep = 500;
    private const string Key = "run_date, campaign_id, run, recipient_id, type, moment, discriminator";

    public string Removes => database.Engine == StorageEngine.Sqlite ? "events" : "months of events";

    public async Task<int> StepAsync(CancellationToken cancellationToken)
    {
        if (retention.EventsFrom is var from && database.Engine == StorageEngine.Sqlite)
        {
            return await database.WriteAsync(
                WriteKind.Import,
                session => session.ExecuteAsync(
                    $"delete from events where ({Key}) in (select {Key} from events where run_date < @from order by {Key} limit {RowsPerStep})", ("@from", from)),
                RowsPerStep,
                cancellationToken);
        }

        var months = await partitions.MonthsAsync("events", cancellationToken);
        return months.Count > 0 && months[0] < from / 100
            && await partitions.DropAsync("events", months[0], static _ => Task.FromResult(true), cancellationToken) ? 1 : 0;
    }
}
