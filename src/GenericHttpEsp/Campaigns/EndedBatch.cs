using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A row whose every record has its end with the report: nothing goes on elsewhere and nothing is unknown. By far the most are such.</summary>
internal sealed record EndedBatch(BatchRow Row, byte[] Outcomes, string? Answer)
{
    /// <summary>Null when the report leaves something open.</summary>
    public static EndedBatch? Of(BatchRow row, BatchReport report, string? answer)
    {
        var outcomes = row.Next(report.Outcomes);
        var isOpen = report.PossiblyRepeated || Array.Exists(
            outcomes, static outcome => (RecordOutcome)outcome is RecordOutcome.ToCome or RecordOutcome.Moved or RecordOutcome.Unknown);
        return isOpen ? null : new EndedBatch(row, outcomes, answer);
    }

    /// <param name="session">In a transaction that has locked the rows.</param>
    /// <param name="ended">Of different rows.</param>
    /// <param name="delayMilliseconds">Nobody looks at the rows again before.</param>
    public static async Task WriteAsync(LedgerSession session, List<EndedBatch> ended, long delayMilliseconds)
    {
        if (ended.Count == 0)
        {
            return;
        }

        var changes = new Dictionary<long, CounterChange>();
        foreach (var (row, outcomes, _) in ended)
        {
            if (!changes.TryGetValue(row.PartitionId, out var change))
            {
                changes[row.PartitionId] = change = new CounterChange();
            }

            change.Move(row.Outcomes, outcomes);
        }

        await (session.IsSqlite ? UpdateEachAsync(session, ended, delayMilliseconds) : UpdateSetAsync(session, ended, delayMilliseconds));
        await CounterChange.ApplyAsync(session, changes);
    }

    private static Task<int> UpdateSetAsync(LedgerSession session, List<EndedBatch> ended, long delayMilliseconds) => session.ExecuteAsync(
        $"""
        update batches set state = {(int)BatchState.Closed}, outcome = given.outcome, live = 0, answer = coalesce(given.answer, batches.answer),
          not_before = {session.Now} + @delay
        from unnest(@ids, @outcomes, @answers) as given(id, outcome, answer)
        where batches.id = given.id
        """,
        ("@delay", delayMilliseconds), ("@ids", ended.Select(static end => end.Row.Id).ToArray()),
        ("@outcomes", ended.Select(static end => end.Outcomes).ToArray()), ("@answers", ended.Select(static end => end.Answer).ToArray()));

    private static async Task<int> UpdateEachAsync(LedgerSession session, List<EndedBatch> ended, long delayMilliseconds)
    {
        foreach (var (row, outcomes, answer) in ended)
        {
            await session.ExecuteAsync(
                $"""
                update batches set state = {(int)BatchState.Closed}, outcome = @outcome, live = 0, answer = coalesce(@answer, answer), not_before = {session.Now} + @delay
                where id = @id
                """,
                ("@outcome", outcomes), ("@answer", answer), ("@delay", delayMilliseconds), ("@id", row.Id));
        }

        return ended.Count;
    }
}
