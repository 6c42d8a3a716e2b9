using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Outcomes: bytes, successors and counters change in one transaction, and only upwards, so every report may be repeated. Reports that wait for the writer
/// run as one set.
/// </summary>
internal sealed partial class OutcomeStore(LedgerDatabase database, ILogger<OutcomeStore> logger)
{
    private static readonly TimeSpan RepeatDelay = TimeSpan.FromSeconds(2);
    private const int AnswerCharactersMax = 500;
    private const int AttemptsMax = 8;
    private const long AgeMillisecondsMax = 24 * 60 * 60 * 1000L;
    private static readonly SetWrite<BatchReport, bool> Set = new(WriteKind.Outcome, static report => report.BatchId, RecordSetAsync);

    public async Task RecordAsync(BatchReport report, CancellationToken cancellationToken)
    {
        if (!await database.WriteAsync(Set, report, 1 + report.Successors.Count, report.PartitionId, cancellationToken))
        {
            // Only a database that has gone back has no row for a claim.
            LogNoRow(report.BatchId, report.PartitionId, report.Outcomes.Count(static outcome => outcome == RecordOutcome.Accepted));
        }

        FailPoints.Pass(FailPoints.AfterOutcomeCommit);
        if (report.Successors.Count > 1)
        {
            FailPoints.Pass(FailPoints.AfterSplitCommit);
        }
    }

    /// <summary>Answers for each report whether its row is there. Those that end their rows are written together; what goes on in other rows, one by one.</summary>
    private static async Task<IReadOnlyList<bool>> RecordSetAsync(LedgerSession session, IReadOnlyList<BatchReport> reports)
    {
        var rows = (await session.QueryAsync(
            $"""
            select {BatchRow.Columns} from batches
            where run_date between @firstDate and @lastDate and id {session.Any("@ids")} order by id {session.ForUpdate}
            """,
            row => BatchRow.Read(session, row),
            ("@firstDate", reports.Min(static report => report.RunDate)),
            ("@lastDate", reports.Max(static report => report.RunDate == 0 ? long.MaxValue : report.RunDate)),
            ("@ids", reports.Select(static report => report.BatchId).ToArray()))).ToDictionary(static row => row.Id);
        var ends = new List<EndedBatch>();
        foreach (var report in reports.Where(report => rows.ContainsKey(report.BatchId)))
        {
            var row = rows[report.BatchId];
            if (EndedBatch.Of(row, report, Shortened(report.Answer)) is { } end)
            {
                ends.Add(end);
            }
            else
            {
                await ChangeAsync(session, row, report);
            }
        }

        await EndedBatch.WriteAsync(session, ends, (long)RepeatDelay.TotalMilliseconds);
        foreach (var _ in reports)
        {
            FailPoints.Pass(FailPoints.BeforeOutcomeCommit);
        }

        return [.. reports.Select(report => rows.ContainsKey(report.BatchId))];
    }

    /// <summary>After an ambiguous COMMIT: the claim's row, if it is there, becomes a waiting one again under a successor.</summary>
    public Task CloseUnsentAsync(long partitionId, string batchKey, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Outcome,
        async session =>
        {
            var row = await session.FirstAsync(
                $"select {BatchRow.Columns} from batches where {RunDates.OfPartition} and partition_id = @id and state = 1 and batch_key = @key {session.ForUpdate}",
                found => BatchRow.Read(session, found),
                ("@id", partitionId), ("@key", batchKey));
            if (row is not null)
            {
                var successor = new Successor(0, row.Ids.Length, TimeSpan.Zero, CountsAsAttempt: false);
                await ChangeAsync(session, row, new BatchReport(row.Id, new RecordOutcome[row.Ids.Length], [successor], "not sent"));
            }

            return 0;
        },
        rows: 1,
        affinity: partitionId,
        cancellationToken);

    /// <summary>Declares claims unknown whose deadline on the database's clock is over. Answers how many rows.</summary>
    public Task<int> ExpireAsync(long campaignId, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Outcome,
        async session =>
        {
            var rows = await session.QueryAsync(
                $"""
                select {BatchRow.Columns} from batches
                where {RunDates.OfCampaign} and partition_id in (select id from partitions where campaign_id = @campaign) and state = 1 and deadline_at <= {session.Now}
                order by id limit 100 {session.ForUpdate}
                """,
                row => BatchRow.Read(session, row),
                ("@campaign", campaignId));
            foreach (var row in rows)
            {
                var outcomes = Enumerable.Repeat(RecordOutcome.Unknown, row.Ids.Length).ToArray();
                await ChangeAsync(session, row, new BatchReport(row.Id, outcomes, [], "no answer before the deadline; the process ended or was paused"));
            }

            return rows.Count;
        },
        cancellationToken: cancellationToken);

    /// <summary>Applies a report to a row that the session has locked.</summary>
    public static async Task ChangeAsync(LedgerSession session, BatchRow row, BatchReport report)
    {
        var change = new CounterChange();
        var outcomes = row.Next(report.Outcomes);
        var successors = await SucceedAsync(session, row, report, outcomes);
        await RecordProof.LookAsync(session, row, outcomes);
        change.Move(row.Outcomes, outcomes);

        var state = outcomes.Contains((byte)RecordOutcome.Unknown) ? BatchState.Unknown : successors > 1 ? BatchState.Split : BatchState.Closed;
        var delay = report.Successors.Select(static successor => successor.Delay).Append(RepeatDelay).Max();
        await session.ExecuteAsync(
            $"""
            update batches set state = @state, outcome = @outcome, live = 0, answer = coalesce(cast(@answer as text), answer), not_before = {session.Now} + @delay
            where run_date = @date and id = @id
            """,
            ("@state", (short)state), ("@outcome", outcomes), ("@answer", Shortened(report.Answer)), ("@delay", (long)delay.TotalMilliseconds),
            ("@date", row.RunDate), ("@id", row.Id));
        await change.ApplyAsync(session, row.PartitionId);
        if (report.PossiblyRepeated)
        {
            await session.ExecuteAsync(
                "update partitions set possibly_repeated = possibly_repeated + @records where id = @id",
                ("@records", (long)row.Outcomes.Count(static outcome => outcome == 0)), ("@id", row.PartitionId));
        }
    }

    /// <summary>Inserts the waiting rows of what is still to come; too many attempts, too old or stopped ends it instead. Changes <paramref name="outcomes"/>.</summary>
    private static async Task<int> SucceedAsync(LedgerSession session, BatchRow row, BatchReport report, byte[] outcomes)
    {
        var inserted = 0;
        foreach (var successor in report.Successors)
        {
            var live = Enumerable.Range(successor.First, successor.Count).Where(i => outcomes[i] == (byte)RecordOutcome.ToCome).ToArray();
            if (live.Length == 0)
            {
                continue;
            }

            var end = await EndAsync(session, row, successor);
            Array.ForEach(live, i => outcomes[i] = (byte)end);
            if (end == RecordOutcome.Moved)
            {
                inserted++;
                await InsertAsync(session, row, successor, [.. live.Select(i => row.Ids[i])]);
            }
        }

        return inserted;
    }

    private static async Task<RecordOutcome> EndAsync(LedgerSession session, BatchRow row, Successor successor)
    {
        if (row.Attempt + (successor.CountsAsAttempt ? 1 : 0) >= AttemptsMax)
        {
            return RecordOutcome.Failed;
        }

        // Locks the partition: a stop that commits after us sees the new waiting row, one that committed before us is seen here.
        var (stopped, age) = await session.FirstAsync(
            $"select case when state = 'stopped' then 1 else 0 end, {session.Now} from partitions where id = @id {session.ForUpdate}",
            found => (found.GetInt32(0) == 1, found.GetInt64(1) - row.CreatedAt),
            ("@id", row.PartitionId));
        return stopped ? RecordOutcome.SkippedStopped : age > AgeMillisecondsMax ? RecordOutcome.Failed : RecordOutcome.Moved;
    }

    private static Task<int> InsertAsync(LedgerSession session, BatchRow row, Successor successor, long[] ids) => session.ExecuteAsync(
        $"""
        insert into batches (campaign_id, run, run_date, partition_id, parent_id, attempt, broken_off, state, first_id, last_id, ids, outcome, live,
          provider_id, provider_version, not_before, epoch, created_at)
        select campaign_id, run, run_date, partition_id, id, @attempt, @broken, 0, @first, @last, @ids, @outcome, @live,
          provider_id, provider_version, {session.Now} + @delay, epoch, created_at
        from batches where run_date = @date and id = @parent
        """,
        ("@attempt", row.Attempt + (successor.CountsAsAttempt ? 1 : 0)), ("@broken", successor.BrokeOff ? row.BrokenOff + 1 : 0), ("@first", ids[0]), ("@last", ids[^1]),
        ("@ids", IdArray.ToColumn(session, ids)), ("@outcome", new byte[ids.Length]), ("@live", (long)ids.Length),
        ("@delay", (long)successor.Delay.TotalMilliseconds), ("@date", row.RunDate), ("@parent", row.Id));

    private static string? Shortened(string? answer) => answer is null ? null : ShortText.Cut(answer, AnswerCharactersMax);

    [LoggerMessage(Level = LogLevel.Error, Message = "Batch {BatchId} of partition {PartitionId} has an outcome but no row; the ESP accepted {Accepted} of its records")]
    private partial void LogNoRow(long batchId, long partitionId, int accepted);
}
