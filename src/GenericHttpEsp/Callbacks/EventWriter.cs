using System.Data.Common;
using System.Threading.Channels;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

/// <summary>What one body stores.</summary>
internal sealed record EventWrite(IReadOnlyList<EventRow> Rows, IReadOnlyList<QuarantineRow> Quarantine);

/// <summary>
/// Writes the events of all bodies that wait as one set in the order of the table's key: two transactions of one silo never hold rows crosswise, and a flood
/// of one-event bodies costs no more than large ones. While one set is under way the next gathers.
/// </summary>
internal sealed partial class EventWriter : IAsyncDisposable
{
    private const int SetRowsMax = 2000;
    private const int PendingMax = 4096;
    private readonly Channel<Pending> _pending = Channel.CreateBounded<Pending>(PendingMax);
    private readonly LedgerDatabase _database;
    private readonly MonthPartitions _partitions;
    private readonly Retention _retention;
    private readonly QuarantineStore _quarantine;
    private readonly EventNews _news;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _lane;

    public EventWriter(
        LedgerDatabase database, MonthPartitions partitions, Retention retention, QuarantineStore quarantine, EventNews news, TimeProvider time,
        ILogger<EventWriter> logger)
    {
        (_database, _partitions, _retention, _quarantine, _news, _time, _logger) = (database, partitions, retention, quarantine, news, time, logger);
        _lane = Background.Run(RunAsync);
    }

    /// <summary>Returns when everything is durable.</summary>
    public async Task WriteAsync(EventWrite write, CancellationToken cancellationToken)
    {
        if (write.Rows.Count + write.Quarantine.Count == 0)
        {
            return;
        }

        var pending = new Pending(write, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await _pending.Writer.WriteAsync(pending, cancellationToken);
        await pending.Completion.Task;
    }

    /// <summary>Writes what waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        await _lane;
    }

    private async Task RunAsync()
    {
        while (await _pending.Reader.WaitToReadAsync())
        {
            var set = new List<Pending>();
            for (var rows = 0; rows < SetRowsMax && _pending.Reader.TryRead(out var next); rows += next.Write.Rows.Count + next.Write.Quarantine.Count)
            {
                set.Add(next);
            }

            await RunSetAsync(set, mayRetry: true);
        }
    }

    private async Task RunSetAsync(List<Pending> set, bool mayRetry)
    {
        try
        {
            _news.Tell(await StoreAsync(set));
            set.ForEach(static pending => pending.Completion.SetResult());
        }
        catch (Exception passing) when (mayRetry && passing is CommitUnknownException or DbException { IsTransient: true })
        {
            // Another silo's transaction may hold rows crosswise, or the commit's answer was lost: the same events again change nothing.
            LogRepeated(passing, set.Count);
            await RunSetAsync(set, mayRetry: false);
        }
        catch (DbException refused) when (set.Count > 1 && !refused.IsTransient)
        {
            // One body's data is at fault: find out whose, and let the others live.
            foreach (var single in set)
            {
                await RunSetAsync([single], mayRetry: false);
            }
        }
        catch (Exception failure)
        {
            set.ForEach(pending => pending.Completion.SetException(failure));
        }
    }

    private async Task<List<EventRow>> StoreAsync(List<Pending> set)
    {
        var rows = EventStore.Arrange(set.SelectMany(static pending => pending.Write.Rows));
        QuarantineRow[] quarantine = [.. set.SelectMany(static pending => pending.Write.Quarantine)];
        // Of a run that is older than retention an event proves and forbids, but whether it was counted before its rows were removed nobody knows.
        var from = _retention.EventsFrom;
        var kept = rows.FindAll(row => row.Key.Message.RunDate >= from);
        await _partitions.EnsureAsync("events", kept.Select(static row => row.Key.Message.RunDate), CancellationToken.None);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var added = await _database.WriteAsync(
            WriteKind.Event,
            async session =>
            {
                var keys = kept.Count == 0 ? [] : await EventStore.AddAsync(session, kept, now);
                await ProveAsync(session, rows);
                if (quarantine.Length > 0)
                {
                    await _quarantine.AddAsync(session, quarantine);
                }

                FailPoints.Pass(FailPoints.BeforeEventsCommit);
                return keys.ToHashSet();
            },
            rows.Count + quarantine.Length);
        return rows.FindAll(row => added.Contains(row.Key));
    }

    /// <summary>Copies prove as well as first ones: the record may have become unknown in between.</summary>
    private static async Task ProveAsync(LedgerSession session, List<EventRow> rows)
    {
        foreach (var run in rows.Where(static row => row.Signed).GroupBy(static row => (row.Key.Message.Campaign, row.Key.Message.Run, row.Key.Message.RunDate)))
        {
            await RecordProof.ProveAsync(session, run.Key.Campaign, run.Key.Run, run.Key.RunDate, [.. run.Select(static row => row.Key.Message.Recipient).Distinct()]);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Writing the events of {Bodies} callback bodies failed and is repeated")]
    private partial void LogRepeated(Exception failure, int bodies);

    private sealed record Pending(EventWrite Write, TaskCompletionSource Completion);
}
