using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

/// <summary>One thing in a recipient's life: a message's fate, or an event about it.</summary>
/// <param name="Kind">accepted, refused, failed, skipped, unknown or toCome for the message itself, removed when it is older than retention; for what came back the specification's system event.</param>
/// <param name="Type">Of an event: delivered, hard_bounce and so on.</param>
/// <param name="Detail">Why skipped or refused; an event's description.</param>
/// <param name="At">Of a message the start of its run; of an event when it happened, or when it was received if the ESP did not say.</param>
public sealed record TimelineEntry(long CampaignId, int Run, string Kind, string? Type, string? Detail, DateTimeOffset At);

/// <summary>Runs whose audience holds the recipient, newest first, each with its message's fate and events.</summary>
internal sealed class Timeline(LedgerDatabase database)
{
    private const int RunsScannedMax = 500;
    private const int EventsPerMessageMax = 100;

    /// <returns>Entries of whole runs, and the start of the last run looked at; null when there are no more.</returns>
    public Task<(List<TimelineEntry> Entries, RunPosition? Next)> ReadAsync(long recipient, RunPosition before, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session =>
            {
                var entries = new List<TimelineEntry>();
                var runs = await RunsAsync(session, recipient, before);
                foreach (var run in runs)
                {
                    if (await RecordStore.FindAsync(session, run.At.Campaign, run.At.Run, recipient) is { } place)
                    {
                        entries.AddRange(await EntriesAsync(session, run, place));
                    }

                    if (entries.Count >= limit)
                    {
                        return (entries, (RunPosition?)run.At);
                    }
                }

                return (entries, runs.Count < RunsScannedMax ? null : runs[^1].At);
            },
            cancellationToken);

    /// <summary>Runs with people in the recipient's range of ids: one look-up by key for each run.</summary>
    private static Task<List<FoundRun>> RunsAsync(LedgerSession session, long recipient, RunPosition before) => session.QueryAsync(
        $"""
        select r.started_at, r.campaign_id, r.run, r.run_date from runs r
        where (r.started_at, r.campaign_id, r.run) < (@started, @campaign, @run)
          and exists (select 1 from audience a where a.campaign_id = r.campaign_id and a.run = r.run and a.block = @block)
        order by r.started_at desc, r.campaign_id desc, r.run desc limit {RunsScannedMax}
        """,
        static row => new FoundRun(new RunPosition(row.GetInt64(0), row.GetInt64(1), row.GetInt32(2)), row.GetInt64(3)),
        ("@started", before.StartedAt), ("@campaign", before.Campaign), ("@run", before.Run), ("@block", recipient / AudienceBlocks.IdsPerBlock));

    private static async Task<IEnumerable<TimelineEntry>> EntriesAsync(LedgerSession session, FoundRun run, RecordPlace place)
    {
        var at = run.At;
        var events = await EventReader.OfMessageAsync(session, new MessageId(run.Date, at.Campaign, at.Run, place.RecipientId), EventsPerMessageMax);
        var word = place.Outcome == Dispatch.RecordOutcome.Retried ? "retried" : RecordWords.Of(place);
        return events
            .SelectMany(one => SystemEvents.Of(one.Key.Type).Select(system => new TimelineEntry(
                at.Campaign, at.Run, system.Name, EventTypes.Name(one.Key.Type), one.Description.Length == 0 ? null : one.Description,
                one.OccurredAt == 0 ? DateTimeOffset.FromUnixTimeMilliseconds(one.ReceivedAt) : DateTimeOffset.FromUnixTimeSeconds(one.OccurredAt))))
            .OrderByDescending(static entry => entry.At)
            .Append(new TimelineEntry(at.Campaign, at.Run, word, null, RecordWords.Reason(place), DateTimeOffset.FromUnixTimeMilliseconds(at.StartedAt)));
    }

    private sealed record FoundRun(RunPosition At, long Date);
}

/// <summary>Where a page of a timeline ended.</summary>
internal readonly record struct RunPosition(long StartedAt, long Campaign, int Run)
{
    public static RunPosition Newest { get; } = new(long.MaxValue, long.MaxValue, int.MaxValue);
}
