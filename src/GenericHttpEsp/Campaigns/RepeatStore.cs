using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Repetition of requests whose answers are lost, for ESPs that remember a key: the same people, the same bytes, the same key, while the key lives. Anything
/// else could be a second message, and is held for a person.
/// </summary>
internal sealed class RepeatStore(ClaimStore claims)
{
    private const int RepeatsMax = 3;

    public Task<ClaimResult> RepeatAsync(ReclaimRequest request, CancellationToken cancellationToken) => claims.RunAsync(
        request.Owner.PartitionId,
        async (session, open) =>
        {
            if (!await ClaimStatements.HoldAsync(session, request.Owner))
            {
                return ClaimResult.Fenced;
            }

            if (await BatchRow.FindAsync(session, request.BatchId, request.Owner.RunDate) is not { State: BatchState.Unknown } row)
            {
                return ClaimResult.Held;
            }

            var gate = open();
            var (key, hashes, repeats, lives) = await KeyAsync(session, row);
            var because = request.Owner.KeyLifetime is null ? "the provider holds what is unknown"
                : !lives ? "the ESP's memory of the key is over"
                : repeats >= RepeatsMax ? $"it was {RepeatsMax} times"
                : await DifferenceAsync(session, row, hashes, request.Batch);
            if (because is not null)
            {
                gate.Dispose();
                await session.ExecuteAsync(
                    "update batches set repeat_until = null, answer = coalesce(answer || '; ', '') || cast(@because as text) where run_date = @date and id = @id",
                    ("@date", row.RunDate), ("@id", row.Id), ("@because", $"not repeated: {because}"));
                return ClaimResult.Held;
            }

            await session.ExecuteAsync(
                $"""
                update batches set state = 1, repeats = repeats + 1, claimed_at = {session.Now}, deadline_at = {session.Now} + @deadline, epoch = @epoch
                where run_date = @date and id = @id
                """,
                ("@date", row.RunDate), ("@deadline", claims.DeadlineMilliseconds), ("@epoch", request.Owner.Epoch), ("@id", row.Id));
            // To the sender the unknown ones are to come; in the row they stay unknown until something better is known.
            var sent = Array.ConvertAll(row.Outcomes, static outcome =>
                (RecordOutcome)outcome == RecordOutcome.Unknown ? RecordOutcome.ToCome : (RecordOutcome)outcome);
            return new ClaimResult(ClaimStatus.Claimed, [new ClaimedBatch(row.Id, row.Attempt, row.BrokenOff, sent, key, 0, gate) { PartitionId = row.PartitionId, Repeats = true }]);
        },
        cancellationToken);

    /// <summary>The key must outlive the repetition, answer included.</summary>
    private Task<(string Key, byte[] Hashes, int Repeats, bool Lives)> KeyAsync(LedgerSession session, BatchRow row) => session.FirstAsync(
        $"""
        select batch_key, hashes, repeats, case when repeat_until > {session.Now} + @deadline then 1 else 0 end from batches where run_date = @date and id = @id
        """,
        static found => (found.GetString(0), found.GetFieldValue<byte[]>(1), found.GetInt32(2), found.GetInt32(3) == 1),
        ("@deadline", claims.DeadlineMilliseconds), ("@date", row.RunDate), ("@id", row.Id));

    /// <summary>Null when everybody the request held is still unknown and may still get mail, and everybody's record is the same to the byte.</summary>
    private static async Task<string?> DifferenceAsync(LedgerSession session, BatchRow row, byte[] hashes, BatchDraft draft)
    {
        for (var i = 0; i < row.Ids.Length; i++)
        {
            var outcome = (RecordOutcome)row.Outcomes[i];
            var sent = outcome < RecordOutcome.SkippedUnsubscribed && outcome != RecordOutcome.Moved;
            if (sent && outcome != RecordOutcome.Unknown)
            {
                return "of somebody in it more is known by now";
            }

            if (sent && (draft.Ids[i] != row.Ids[i] || draft.Outcomes[i] != RecordOutcome.ToCome || !Hash(draft.Hashes, i).SequenceEqual(Hash(hashes, i))))
            {
                return "somebody's message would be another one by now";
            }
        }

        var forbidden = await ClaimStatements.ForbiddenAsync(session, [draft]);
        return row.Ids.Where((id, i) => (RecordOutcome)row.Outcomes[i] == RecordOutcome.Unknown && forbidden.ContainsKey(id)).Any()
            ? "somebody in it must not get mail any more"
            : null;
    }

    private static ReadOnlySpan<byte> Hash(byte[] hashes, int index) => hashes.AsSpan(index * sizeof(ulong), sizeof(ulong));
}
