using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>One person's place in a run.</summary>
/// <param name="BatchId">0 while no batch holds them.</param>
/// <param name="Answer">What the ESP said to their batch.</param>
internal sealed record RecordPlace(int Run, long RecipientId, RecordOutcome Outcome, long BatchId, int Attempts, string? Answer)
{
    /// <summary>The run's batches are older than retention: nothing else here means anything.</summary>
    public bool IsRemoved { get; init; }
}

/// <summary>A page, and where the next begins; null at the end. Pages may be short: a request does bounded work, not a bounded answer.</summary>
internal sealed record RecordPlaces(IReadOnlyList<RecordPlace> Items, (int Run, long Id)? Next);

/// <summary>
/// Where everybody of a campaign is, person by person, in the order of runs and ids. Ids come from the audience blocks, outcomes from the batch rows that
/// cover them: of all rows that hold an id one has an outcome other than moved.
/// </summary>
internal sealed class RecordStore(LedgerDatabase database)
{
    private const int WindowsMax = 16;
    private const int ScannedRowsMax = 20_000;

    /// <param name="wanted">Only these; empty for all.</param>
    public Task<RecordPlaces> PageAsync(long campaign, (int Run, long Id) after, RecordOutcome[] wanted, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(session => PageAsync(session, campaign, after, wanted, limit), cancellationToken);

    public static async Task<RecordPlaces> PageAsync(LedgerSession session, long campaign, (int Run, long Id) after, RecordOutcome[] wanted, int limit)
    {
        var items = new List<RecordPlace>();
        var (run, id) = (Math.Max(after.Run, 1), after.Id);
        for (var window = 0; window < WindowsMax; window++)
        {
            var removed = await RemovedRuns.HasAsync(session, campaign, run);
            var from = wanted.Length == 0 ? id : removed ? null : await JumpAsync(session, campaign, run, id, wanted);
            if (from is null || await WindowAsync(session, campaign, run, from.Value) is not { Length: > 0 } ids)
            {
                if (!await HasRunAsync(session, campaign, run + 1))
                {
                    return new RecordPlaces(items, null);
                }

                (run, id) = (run + 1, 0);
                continue;
            }

            ids = wanted.Length == 0 ? [.. ids.Take(limit - items.Count)] : ids;
            var places = removed ? Array.ConvertAll(ids, id => Removed(run, id)) : await PlacesAsync(session, campaign, run, from.Value, ids);
            foreach (var place in places.Where(place => wanted.Length == 0 ? place.Outcome != RecordOutcome.Retried : wanted.Contains(place.Outcome)))
            {
                items.Add(place);
                if (items.Count == limit)
                {
                    return new RecordPlaces(items, (run, place.RecipientId));
                }
            }

            id = ids[^1];
        }

        return new RecordPlaces(items, (run, id));
    }

    /// <summary>One person's place in a run; null when the audience does not hold them.</summary>
    public static async Task<RecordPlace?> FindAsync(LedgerSession session, long campaign, int run, long recipient)
    {
        var block = recipient / AudienceBlocks.IdsPerBlock;
        return Array.BinarySearch(await AudienceStore.ReadBlocksAsync(session, campaign, run, block, block), recipient) < 0
            ? null
            : await RemovedRuns.HasAsync(session, campaign, run) ? Removed(run, recipient)
            : (await PlacesAsync(session, campaign, run, recipient - 1, [recipient]))[0];
    }

    private static RecordPlace Removed(int run, long id) => new(run, id, RecordOutcome.ToCome, 0, 0, null) { IsRemoved = true };

    /// <summary>Ids of the next block after an id; blocks are found by their number.</summary>
    private static async Task<long[]?> WindowAsync(LedgerSession session, long campaign, int run, long after)
    {
        var blocks = await session.QueryAsync(
            "select ids from audience where campaign_id = @campaign and run = @run and block >= @block order by block limit 2",
            row => IdArray.FromColumn(session, row, 0),
            ("@campaign", campaign), ("@run", run), ("@block", (after + 1) / AudienceBlocks.IdsPerBlock));
        return blocks.Select(ids => Array.FindAll(ids, id => id > after)).FirstOrDefault(static ids => ids.Length > 0);
    }

    /// <summary>From where the next wanted record can be; null when the run has no more.</summary>
    private static async Task<long?> JumpAsync(LedgerSession session, long campaign, int run, long after, RecordOutcome[] wanted)
    {
        var inRow = await JumpToRowAsync(session, campaign, run, after, wanted);
        var beyond = wanted.Contains(RecordOutcome.ToCome) || wanted.Contains(RecordOutcome.SkippedStopped)
            ? await JumpToPartitionAsync(session, campaign, run, after)
            : null;
        return inRow is null || beyond is null ? inRow ?? beyond : Math.Min(inRow.Value, beyond.Value);
    }

    /// <summary>Beyond the cursors nobody is in a row: the partitions tell where such people are.</summary>
    private static Task<long?> JumpToPartitionAsync(LedgerSession session, long campaign, int run, long after) => session.FirstAsync(
        """
        select first_block from partitions
        where campaign_id = @campaign and run = @run and last_id > @after and (to_come > 0 or skipped_stopped > 0) order by id limit 1
        """,
        row => (long?)Math.Max(after, (row.GetInt64(0) * AudienceBlocks.IdsPerBlock) - 1),
        ("@campaign", campaign), ("@run", run), ("@after", after));

    /// <summary>Looks at the rows' bytes in the database.</summary>
    private static async Task<long?> JumpToRowAsync(LedgerSession session, long campaign, int run, long after, RecordOutcome[] wanted)
    {
        var match = string.Join(" or ", wanted.Select(outcome => session.IsSqlite ? $"instr(outcome, x'{(int)outcome:x2}') > 0" : $"position('\\x{(int)outcome:x2}'::bytea in outcome) > 0"));
        var (found, scanned, last) = await session.FirstAsync(
            $"""
            select coalesce(min(case when {match} then last_id end), 0), count(*), coalesce(max(last_id), 0)
            from (select last_id, outcome from batches where {RunDates.OfRun} and campaign_id = @campaign and run = @run and last_id > @after order by last_id limit {ScannedRowsMax}) rows
            """,
            static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)),
            ("@campaign", campaign), ("@run", run), ("@after", after));
        if (found == 0)
        {
            return scanned < ScannedRowsMax ? null : last;
        }

        // A row's range lies in its root's, and roots do not overlap.
        var first = await session.FirstAsync(
            $"select first_id from batches where {RunDates.OfRun} and campaign_id = @campaign and run = @run and last_id >= @found and parent_id is null order by last_id limit 1",
            static row => row.GetInt64(0),
            ("@campaign", campaign), ("@run", run), ("@found", found));
        return Math.Max(after, first - 1);
    }

    private static async Task<RecordPlace[]> PlacesAsync(LedgerSession session, long campaign, int run, long after, long[] ids)
    {
        var places = new RecordPlace?[ids.Length];
        var end = await session.FirstAsync(
            $"select last_id from batches where {RunDates.OfRun} and campaign_id = @campaign and run = @run and last_id >= @last and parent_id is null order by last_id limit 1",
            static row => (long?)row.GetInt64(0),
            ("@campaign", campaign), ("@run", run), ("@last", ids[^1]));
        var rows = await session.QueryAsync(
            $"""
            select id, ids, outcome, attempt, state, answer from batches
            where {RunDates.OfRun} and campaign_id = @campaign and run = @run and last_id > @after and last_id <= @end order by last_id limit {ScannedRowsMax}
            """,
            row => (
                Id: row.GetInt64(0), Ids: IdArray.FromColumn(session, row, 1), Outcomes: row.GetFieldValue<byte[]>(2), Attempt: row.GetInt32(3),
                State: (BatchState)row.GetInt16(4), Answer: row.IsDBNull(5) ? null : row.GetString(5)),
            ("@campaign", campaign), ("@run", run), ("@after", after), ("@end", end ?? long.MaxValue));
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Ids.Length; i++)
            {
                if (row.Outcomes[i] != (byte)RecordOutcome.Moved && Array.BinarySearch(ids, row.Ids[i]) is >= 0 and var at)
                {
                    var attempts = row.Attempt + (row.State is BatchState.Waiting || row.Outcomes[i] >= (byte)RecordOutcome.SkippedUnsubscribed ? 0 : 1);
                    places[at] = new RecordPlace(run, row.Ids[i], (RecordOutcome)row.Outcomes[i], row.Id, attempts, row.Answer);
                }
            }
        }

        var stopped = Array.IndexOf(places, null) < 0 ? [] : await StoppedAsync(session, campaign, run);
        return [.. places.Select((place, i) => place ?? new RecordPlace(
            run, ids[i], IsStopped(stopped, ids[i]) ? RecordOutcome.SkippedStopped : RecordOutcome.ToCome, 0, 0, null))];
    }

    private static bool IsStopped(List<(long First, long Last)> stopped, long id) =>
        stopped.Exists(blocks => id / AudienceBlocks.IdsPerBlock >= blocks.First && id / AudienceBlocks.IdsPerBlock <= blocks.Last);

    private static Task<List<(long First, long Last)>> StoppedAsync(LedgerSession session, long campaign, int run) => session.QueryAsync(
        "select first_block, last_block from partitions where campaign_id = @campaign and run = @run and state = 'stopped' order by id limit 1000",
        static row => (row.GetInt64(0), row.GetInt64(1)),
        ("@campaign", campaign), ("@run", run));

    private static async Task<bool> HasRunAsync(LedgerSession session, long campaign, int run) => await session.FirstAsync(
        "select 1 from runs where campaign_id = @campaign and run = @run", static row => row.GetInt32(0), ("@campaign", campaign), ("@run", run)) == 1;
}
