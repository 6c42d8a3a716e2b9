using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>What a recount of a campaign found.</summary>
/// <param name="Audience">People in all runs' blocks.</param>
/// <param name="Counted">Recounted people by outcome, camelCase names.</param>
/// <param name="Problems">Every disagreement between blocks, rows and counters; empty when the sum holds. At most 100.</param>
public sealed record AuditResult(long CampaignId, long Audience, IReadOnlyDictionary<string, long> Counted, IReadOnlyList<string> Problems)
{
    public bool Holds => Problems.Count == 0;

    /// <summary>Runs whose rows are older than retention: their counters are taken as they stand, and only their sum is checked.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>
/// Recounts a campaign from its audience blocks and batch rows, trusting no counter: each person must be in exactly one place, and the counters must say so.
/// </summary>
internal sealed class LedgerAudit(LedgerDatabase database)
{
    private const int ProblemsMax = 100;
    private const int RowsPerRead = 200;

    public async Task<AuditResult> VerifyAsync(long campaignId, CancellationToken cancellationToken)
    {
        var partitions = await database.ReadAsync(
            session => session.QueryAsync(
                "select id from partitions where campaign_id = @campaign order by id limit 100000", static row => row.GetInt64(0), ("@campaign", campaignId)),
            cancellationToken);
        var recount = new Recount();
        foreach (var partition in partitions)
        {
            // One snapshot for each partition: rows and counters change together.
            await database.SnapshotAsync(session => VerifyPartitionAsync(session, partition, recount), cancellationToken);
        }

        var counted = recount.By.ToDictionary(
            pair => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(pair.Key.ToString()), pair => pair.Value);
        return new AuditResult(campaignId, recount.Audience, counted, recount.Problems) { Notes = [.. recount.Notes] };
    }

    private static async Task<bool> VerifyPartitionAsync(LedgerSession session, long partition, Recount recount)
    {
        var columns = string.Join(", ", OutcomeRules.Counted.Select(CounterChange.Column));
        var row = (await session.FirstAsync(
            $"select campaign_id, run, first_block, last_block, cursor, state, total, {columns} from partitions where id = @id",
            found => new PartitionRow(
                found.GetInt64(0), found.GetInt32(1), found.GetInt64(2), found.GetInt64(3), found.GetInt64(4), found.GetString(5), found.GetInt64(6),
                OutcomeRules.Counted.Select((outcome, i) => (outcome, found.GetInt64(7 + i))).ToDictionary(pair => pair.outcome, pair => pair.Item2)),
            ("@id", partition)))!;
        if (await RemovedRuns.HasAsync(session, row.CampaignId, row.Run))
        {
            recount.Trust(partition, row);
            return true;
        }

        var ids = await AudienceStore.ReadBlocksAsync(session, row.CampaignId, row.Run, row.FirstBlock, row.LastBlock);
        var places = await PlacesAsync(session, partition, ids, recount);
        var sums = OutcomeRules.Counted.ToDictionary(outcome => outcome, _ => 0L);
        for (var i = 0; i < ids.Length; i++)
        {
            sums[Place(partition, row, ids[i], places[i], recount)]++;
        }

        if (ids.Length != row.Total)
        {
            recount.Add($"partition {partition}: total {row.Total}, blocks hold {ids.Length}");
        }

        foreach (var (outcome, count) in sums.Where(pair => row.Counters[pair.Key] != pair.Value))
        {
            recount.Add($"partition {partition}: counter {CounterChange.Column(outcome)} is {row.Counters[outcome]}, rows hold {count}");
        }

        recount.Count(ids.Length, sums);
        return true;
    }

    private static RecordOutcome Place(long partition, PartitionRow row, long id, RecordPlace place, Recount recount)
    {
        if (place.Rows > 1)
        {
            recount.Add($"partition {partition}: recipient {id} is live in {place.Rows} rows");
        }

        if (id <= row.Cursor)
        {
            if (place.Rows == 0)
            {
                recount.Add($"partition {partition}: recipient {id} is below the cursor {row.Cursor} and in no row");
            }

            return place.Outcome;
        }

        if (place.Rows > 0)
        {
            recount.Add($"partition {partition}: recipient {id} is beyond the cursor {row.Cursor} and in a row");
        }

        return row.State == PartitionStates.Stopped ? RecordOutcome.SkippedStopped : RecordOutcome.ToCome;
    }

    private static async Task<RecordPlace[]> PlacesAsync(LedgerSession session, long partition, long[] ids, Recount recount)
    {
        var places = new RecordPlace[ids.Length];
        for (var after = 0L; ;)
        {
            var rows = await session.QueryAsync(
                $"select {BatchRow.Columns} from batches where {RunDates.OfPartition} and partition_id = @id and id > @after order by id limit {RowsPerRead}",
                found => BatchRow.Read(session, found),
                ("@id", partition), ("@after", after));
            foreach (var row in rows)
            {
                Note(row, ids, places, recount);
            }

            if (rows.Count < RowsPerRead)
            {
                return places;
            }

            after = rows[^1].Id;
        }
    }

    private static void Note(BatchRow row, long[] ids, RecordPlace[] places, Recount recount)
    {
        for (var i = 0; i < row.Ids.Length; i++)
        {
            var outcome = (RecordOutcome)row.Outcomes[i];
            var at = Array.BinarySearch(ids, row.Ids[i]);
            if (at < 0)
            {
                recount.Add($"batch {row.Id}: recipient {row.Ids[i]} is not in the audience");
            }
            else if (outcome != RecordOutcome.Moved)
            {
                places[at] = new RecordPlace(places[at].Rows + 1, outcome);
            }
        }

        var open = row.State is BatchState.Waiting or BatchState.Claimed;
        if (!open && row.Outcomes.AsSpan().Contains((byte)RecordOutcome.ToCome))
        {
            recount.Add($"batch {row.Id}: is {row.State} and holds records to come");
        }
    }

    private readonly record struct RecordPlace(int Rows, RecordOutcome Outcome);

    private sealed record PartitionRow(
        long CampaignId, int Run, long FirstBlock, long LastBlock, long Cursor, string State, long Total, Dictionary<RecordOutcome, long> Counters);

    private sealed class Recount
    {
        public long Audience { get; private set; }

        public Dictionary<RecordOutcome, long> By { get; } = OutcomeRules.Counted.ToDictionary(outcome => outcome, _ => 0L);

        public List<string> Problems { get; } = [];

        public SortedSet<string> Notes { get; } = [];

        public void Trust(long partition, PartitionRow row)
        {
            Notes.Add($"run {row.Run}: its batches are {RemovedRuns.Reason}");
            if (row.Counters.Values.Sum() != row.Total)
            {
                Add($"partition {partition}: total {row.Total}, counters hold {row.Counters.Values.Sum()}");
            }

            Count((int)row.Total, row.Counters);
        }

        public void Add(string problem)
        {
            if (Problems.Count < ProblemsMax)
            {
                Problems.Add(problem);
            }
        }

        public void Count(int people, Dictionary<RecordOutcome, long> sums)
        {
            Audience += people - (int)sums[RecordOutcome.Retried];
            foreach (var (outcome, count) in sums)
            {
                By[outcome] += count;
            }
        }
    }
}
