using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A request whose answer is lost.</summary>
/// <param name="Records">Still unknown.</param>
/// <param name="Proved">Of the same request, proved accepted by events.</param>
/// <param name="Repeats">How often the request was made again under its key.</param>
/// <param name="WillRepeat">It goes out again by itself.</param>
public sealed record UnknownBatch(
    long BatchId, int Run, int Records, int Proved, string? Key, DateTimeOffset ClaimedAt, string? Answer, int Repeats, bool WillRepeat);

/// <summary>Requests whose answers are lost: the list, and what a person knows about them.</summary>
internal sealed class UnknownStore(LedgerDatabase database)
{
    private const int RowsPerStep = 100;

    /// <summary>In the order of ids, beginning after one.</summary>
    public Task<List<UnknownBatch>> PageAsync(long campaignId, long after, int limit, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"""
            select id, run, outcome, batch_key, claimed_at, answer, repeats, case when repeat_until is null then 0 else 1 end
            from batches where {RunDates.OfCampaign} and campaign_id = @campaign and state = 3 and id > @after order by id limit @limit
            """,
            static row =>
            {
                var outcomes = row.GetFieldValue<byte[]>(2);
                return new UnknownBatch(
                    row.GetInt64(0),
                    row.GetInt32(1),
                    outcomes.Count(static outcome => outcome == (byte)RecordOutcome.Unknown),
                    outcomes.Count(static outcome => outcome == (byte)RecordOutcome.Accepted),
                    row.IsDBNull(3) ? null : row.GetString(3),
                    DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
                    row.IsDBNull(5) ? null : row.GetString(5),
                    row.GetInt32(6),
                    row.GetInt32(7) == 1);
            },
            ("@campaign", campaignId), ("@after", after), ("@limit", (long)limit)),
        cancellationToken);

    /// <summary>Settles rows that are still unknown; others are left as they are (compare and set). Answers how many records changed.</summary>
    /// <param name="batchIds">Null for all of the campaign.</param>
    /// <param name="news">Accepted, or failed for what was not sent.</param>
    public async Task<int> ResolveAsync(long campaignId, long[]? batchIds, RecordOutcome news, CancellationToken cancellationToken)
    {
        var records = 0;
        for (var after = 0L; ;)
        {
            var (changed, last) = await database.WriteAsync(
                WriteKind.Outcome, session => StepAsync(session, campaignId, batchIds, news, after), RowsPerStep, cancellationToken);
            records += changed;
            if (last is null)
            {
                return records;
            }

            after = last.Value;
        }
    }

    private static async Task<(int Records, long? Last)> StepAsync(LedgerSession session, long campaignId, long[]? batchIds, RecordOutcome news, long after)
    {
        var rows = await session.QueryAsync(
            $"""
            select {BatchRow.Columns} from batches
            where {RunDates.OfCampaign} and campaign_id = @campaign and state = 3 and id > @after {(batchIds is null ? "" : $"and id {session.Any("@ids")}")}
            order by id limit {RowsPerStep} {session.ForUpdate}
            """,
            row => BatchRow.Read(session, row),
            batchIds is null
                ? [("@campaign", campaignId), ("@after", after)]
                : [("@campaign", (object?)campaignId), ("@after", after), ("@ids", batchIds)]);
        var records = 0;
        foreach (var row in rows)
        {
            var outcomes = Array.ConvertAll(row.Outcomes, outcome => outcome == (byte)RecordOutcome.Unknown ? news : (RecordOutcome)outcome);
            records += row.Outcomes.Count(static outcome => outcome == (byte)RecordOutcome.Unknown);
            await OutcomeStore.ChangeAsync(session, row, new BatchReport(row.Id, outcomes, [], news == RecordOutcome.Accepted ? null : "not sent, by hand"));
        }

        return (records, rows.Count < RowsPerStep ? null : rows[^1].Id);
    }
}
