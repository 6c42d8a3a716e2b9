using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A signed event of any type proves that the ESP accepted that record: unknown becomes accepted, one record at a time.</summary>
internal static class RecordProof
{
    private const int RowsPerRead = 100;

    /// <summary>For events just recorded: looks for their records among the unknown ones. In the transaction of the events, after their counters.</summary>
    /// <param name="recipients">Ascending.</param>
    /// <returns>How many records were unknown and are accepted now.</returns>
    public static async Task<int> ProveAsync(LedgerSession session, long campaign, int run, long runDate, long[] recipients)
    {
        var proved = 0;
        for (var after = 0L; ;)
        {
            var rows = await session.QueryAsync(
                $"""
                select {BatchRow.Columns} from batches
                where run_date = @date and campaign_id = @campaign and state = 3 and id > @after and run = @run and first_id <= @last and last_id >= @first
                order by id limit {RowsPerRead} {session.ForUpdate}
                """,
                row => BatchRow.Read(session, row),
                ("@date", runDate), ("@campaign", campaign), ("@after", after), ("@run", (long)run), ("@last", recipients[^1]), ("@first", recipients[0]));
            foreach (var row in rows)
            {
                proved += await ProveAsync(session, row, recipients);
            }

            if (rows.Count < RowsPerRead)
            {
                return proved;
            }

            after = rows[^1].Id;
        }
    }

    /// <summary>For records about to become or stay unknown: an event may have come before the answer, or a repetition's, was lost. Changes <paramref name="outcomes"/>.</summary>
    public static async Task LookAsync(LedgerSession session, BatchRow row, byte[] outcomes)
    {
        var lost = row.Ids.Where((_, i) => outcomes[i] == (byte)RecordOutcome.Unknown).ToArray();
        var proved = await FindAsync(session, row, lost);
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] == (byte)RecordOutcome.Unknown && proved.Contains(row.Ids[i]))
            {
                outcomes[i] = (byte)RecordOutcome.Accepted;
            }
        }
    }

    /// <summary>Those of a batch's recipients whom a signed event names.</summary>
    public static async Task<HashSet<long>> FindAsync(LedgerSession session, BatchRow batch, long[] recipients)
    {
        if (recipients.Length == 0)
        {
            return [];
        }

        var (campaign, run, date, provider) = await session.FirstAsync(
            "select campaign_id, run, run_date, provider_id from batches where run_date = @date and id = @id",
            static found => (found.GetInt64(0), found.GetInt32(1), found.GetInt64(2), found.GetInt64(3)),
            ("@date", batch.RunDate), ("@id", batch.Id));
        return await EventProof.FindAsync(session, campaign, run, date, provider, recipients);
    }

    private static async Task<int> ProveAsync(LedgerSession session, BatchRow row, long[] recipients)
    {
        var outcomes = row.Outcomes.ToArray();
        var change = new CounterChange();
        var proved = 0;
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] == (byte)RecordOutcome.Unknown && Array.BinarySearch(recipients, row.Ids[i]) >= 0)
            {
                outcomes[i] = (byte)RecordOutcome.Accepted;
                change.Move(RecordOutcome.Unknown, RecordOutcome.Accepted);
                proved++;
            }
        }

        if (proved > 0)
        {
            var state = outcomes.Contains((byte)RecordOutcome.Unknown) ? BatchState.Unknown
                : outcomes.Contains((byte)RecordOutcome.Moved) ? BatchState.Split : BatchState.Closed;
            await session.ExecuteAsync("update batches set state = @state, outcome = @outcome where run_date = @date and id = @id",
                ("@date", row.RunDate), ("@state", (short)state), ("@outcome", outcomes), ("@id", row.Id));
            await change.ApplyAsync(session, row.PartitionId);
        }

        return proved;
    }
}
