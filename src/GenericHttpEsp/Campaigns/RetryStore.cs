using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A new run for whom the earlier ones failed or were refused.</summary>
internal sealed class RetryStore(LedgerDatabase database, MonthPartitions months)
{
    private const int RowsPerRead = 200;

    /// <summary>
    /// Takes failed and refused people out of the earlier runs and makes them the audience of a new one, in one transaction: each person stays in exactly one
    /// place. Repeated, it changes nothing. Whom an event proves accepted counts as accepted already and is not among them.
    /// </summary>
    public async Task<RunAudience> CreateAsync(long campaignId, int run, int runDate, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        await months.EnsureAsync("batches", [runDate], cancellationToken);
        return await database.WriteAsync(
            WriteKind.Event,
            async session =>
            {
                if (await session.FirstAsync(
                    "select 1 from runs where campaign_id = @campaign and run = @run", static row => row.GetInt32(0), ("@campaign", campaignId), ("@run", run)) == 1)
                {
                    return new RunAudience(0, 0);
                }

                var ids = await TakeAsync(session, campaignId, run);
                ids.Sort();
                var blocks = await AudienceBlocks.PackAsync(ids.ToAsyncEnumerable());
                return await SqliteAudience.WriteAsync(session, new RunHeader(campaignId, run, runDate, startedAt.ToUnixTimeMilliseconds()), blocks);
            },
            cancellationToken: cancellationToken);
    }

    private static async Task<List<long>> TakeAsync(LedgerSession session, long campaignId, int run)
    {
        var taken = new List<long>();
        // Partitions first, in the order of ids: counters are locked before rows, as everywhere.
        await session.QueryAsync(
            $"select id from partitions where campaign_id = @campaign and run < @run order by id {session.ForUpdate}",
            static row => row.GetInt64(0),
            ("@campaign", campaignId), ("@run", run));
        for (var after = 0L; ;)
        {
            var rows = await session.QueryAsync(
                $"select {BatchRow.Columns} from batches where {RunDates.OfCampaign} and campaign_id = @campaign and run < @run and id > @after order by id limit {RowsPerRead}",
                row => BatchRow.Read(session, row),
                ("@campaign", campaignId), ("@run", run), ("@after", after));
            foreach (var row in rows)
            {
                await TakeAsync(session, row, taken);
            }

            if (rows.Count < RowsPerRead)
            {
                return taken;
            }

            after = rows[^1].Id;
        }
    }

    private static async Task TakeAsync(LedgerSession session, BatchRow row, List<long> taken)
    {
        var change = new CounterChange();
        var outcomes = (byte[])row.Outcomes.Clone();
        var proved = await RecordProof.FindAsync(
            session, row, [.. row.Ids.Where((_, i) => (RecordOutcome)outcomes[i] is RecordOutcome.Failed or RecordOutcome.Refused)]);
        for (var i = 0; i < outcomes.Length; i++)
        {
            if ((RecordOutcome)outcomes[i] is RecordOutcome.Failed or RecordOutcome.Refused)
            {
                var truth = proved.Contains(row.Ids[i]) ? RecordOutcome.Accepted : RecordOutcome.Retried;
                change.Move((RecordOutcome)outcomes[i], truth);
                outcomes[i] = (byte)truth;
                if (truth == RecordOutcome.Retried)
                {
                    taken.Add(row.Ids[i]);
                }
            }
        }

        if (!outcomes.AsSpan().SequenceEqual(row.Outcomes))
        {
            await session.ExecuteAsync("update batches set outcome = @outcome where run_date = @date and id = @id", ("@date", row.RunDate), ("@outcome", outcomes), ("@id", row.Id));
            await change.ApplyAsync(session, row.PartitionId);
        }
    }
}
