using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Campaigns;

/// <summary>Claims: fence, then admit, in one transaction and as two statements, so that admission sees what was committed while the fence waited.</summary>
internal sealed class ClaimStore(LedgerDatabase database, OpenClaims openClaims, IOptions<DispatchOptions> options)
{
    // A claim must outlive the slowest attempt it covers before anybody calls it unknown.
    private const int SlackMilliseconds = 4000;
    public long DeadlineMilliseconds { get; } =
        options.Value.SendWindowMilliseconds + (options.Value.AttemptTimeoutSeconds * 1000L) + SlackMilliseconds;

    public Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken) => RunAsync(
        async (session, open) =>
        {
            var to = request.Batches[^1].Ids[^1];
            if (!await FenceAsync(session, request.Owner, request.From, to))
            {
                return ClaimResult.Fenced;
            }

            var gates = request.Batches.Select(_ => open()).ToList();
            var forbidden = await ForbiddenAsync(session, request.Batches);
            var change = new CounterChange();
            var claimed = new List<ClaimedBatch>(request.Batches.Count);
            foreach (var batch in request.Batches)
            {
                var outcomes = Admit(batch, forbidden, change);
                var id = await InsertAsync(session, request.Owner, batch, outcomes);
                claimed.Add(new ClaimedBatch(id, 0, 0, outcomes, batch.Key, 0, gates[claimed.Count]));
            }

            await ApplyAsync(session, request.Owner, claimed, change);
            return new ClaimResult(ClaimStatus.Claimed, claimed);
        },
        request.Batches.Count,
        cancellationToken);

    public Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken) => RunAsync(
        async (session, open) =>
        {
            if (!await HoldAsync(session, request.Owner))
            {
                return ClaimResult.Fenced;
            }

            if (await BatchRow.FindAsync(session, request.BatchId) is not { State: BatchState.Waiting } row)
            {
                return ClaimResult.Held;
            }

            var gate = open();
            var forbidden = await ForbiddenAsync(session, [request.Batch]);
            var change = new CounterChange();
            var outcomes = Admit(request.Batch, forbidden, change);
            await UpdateAsync(session, request, outcomes);
            var split = await SplitOfFirstAsync(session, row);
            var claimed = new ClaimedBatch(row.Id, row.Attempt, row.BrokenOff, outcomes, request.Batch.Key, split, gate);
            await ApplyAsync(session, request.Owner, [claimed], change);
            return new ClaimResult(ClaimStatus.Claimed, [claimed]);
        },
        1,
        cancellationToken);

    /// <summary>Gates open before the admit statement: whoever forbids later finds them, whoever forbade before is seen by the statement.</summary>
    public async Task<ClaimResult> RunAsync(
        Func<LedgerSession, Func<SendGate>, Task<ClaimResult>> claim, int rows, CancellationToken cancellationToken)
    {
        var gates = new List<SendGate>();
        try
        {
            var result = await database.WriteAsync(
                WriteKind.Claim,
                async session =>
                {
                    // The group was repeated: the gates of the first try lead nowhere.
                    CloseAll(gates);
                    var claimed = await claim(session, () =>
                    {
                        gates.Add(openClaims.Open(session.BeganAt));
                        return gates[^1];
                    });
                    FailPoints.Pass(FailPoints.BeforeClaimCommit);
                    return claimed;
                },
                rows,
                cancellationToken);
            FailPoints.Pass(FailPoints.AfterClaimCommit);
            return result;
        }
        catch
        {
            CloseAll(gates);
            throw;
        }
    }

    private static void CloseAll(List<SendGate> gates)
    {
        gates.ForEach(gate => gate.Dispose());
        gates.Clear();
    }

    private static async Task<bool> FenceAsync(LedgerSession session, ClaimOwner owner, long from, long to) => await session.ExecuteAsync(
        "update partitions set cursor = @to where id = @id and epoch = @epoch and cursor = @from and state = 'open'",
        ("@to", to), ("@id", owner.PartitionId), ("@epoch", owner.Epoch), ("@from", from)) == 1;

    // Writes the row although nothing changes: only a written row is locked against another activation's new epoch until the commit.
    public static async Task<bool> HoldAsync(LedgerSession session, ClaimOwner owner) => await session.ExecuteAsync(
        "update partitions set cursor = cursor where id = @id and epoch = @epoch and state = 'open'",
        ("@id", owner.PartitionId), ("@epoch", owner.Epoch)) == 1;

    /// <summary>Those of the batches' records who must not get mail by what is committed now, with the reason.</summary>
    public static async Task<Dictionary<long, RecordOutcome>> ForbiddenAsync(LedgerSession session, IReadOnlyList<BatchDraft> batches)
    {
        var ids = batches.SelectMany(batch => batch.Ids.Where((_, i) => batch.Outcomes[i] == RecordOutcome.ToCome)).ToArray();
        var rows = await session.QueryAsync(
            $"""
            select t.value, case when p.id is null then {(int)RecordOutcome.SkippedErased} else {(int)RecordOutcome.SkippedUnsubscribed} end
            from {session.Rows("@ids")}
            left join profiles p on p.id = t.value
            left join subscriptions s on s.key = p.key and s.forbids
            where p.id is null or s.key is not null
            """,
            static row => (Id: row.GetInt64(0), Reason: (RecordOutcome)row.GetInt32(1)),
            ("@ids", ids));
        return rows.ToDictionary(row => row.Id, row => row.Reason);
    }

    private static RecordOutcome[] Admit(BatchDraft batch, Dictionary<long, RecordOutcome> forbidden, CounterChange change)
    {
        var outcomes = new RecordOutcome[batch.Ids.Length];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = batch.Outcomes[i] == RecordOutcome.ToCome && forbidden.TryGetValue(batch.Ids[i], out var reason) ? reason : batch.Outcomes[i];
            change.Move(RecordOutcome.ToCome, outcomes[i]);
        }

        return outcomes;
    }

    private static Task<long> SplitOfFirstAsync(LedgerSession session, BatchRow row) => row.ParentId == 0
        ? Task.FromResult(0L)
        : session.FirstAsync(
            """
            select p.id from batches p left join batches g on g.id = p.parent_id
            where p.id = @parent and p.state = 4 and (g.id is null or g.state <> 4)
            """,
            static found => found.GetInt64(0),
            ("@parent", row.ParentId));

    private static async Task ApplyAsync(LedgerSession session, ClaimOwner owner, List<ClaimedBatch> claimed, CounterChange change)
    {
        // Only when someone was skipped: an untouched claim must not reset the count of starts.
        if (claimed.Exists(batch => Array.Exists(batch.Outcomes, outcome => outcome != RecordOutcome.ToCome)))
        {
            await change.ApplyAsync(session, owner.PartitionId);
        }
    }

    private Task<long> InsertAsync(LedgerSession session, ClaimOwner owner, BatchDraft batch, RecordOutcome[] outcomes)
    {
        var live = outcomes.Count(outcome => outcome == RecordOutcome.ToCome);
        return session.FirstAsync(
            $"""
            insert into batches (campaign_id, run, run_date, partition_id, attempt, state, first_id, last_id, ids, outcome, live, provider_id, provider_version,
              hashes, batch_key, claimed_at, deadline_at, repeat_until, epoch, created_at)
            values (@campaign, @run, @date, @partition, 0, @state, @first, @last, @ids, @outcome, @live, @provider, @version,
              @hashes, @key, {session.Now}, {session.Now} + @deadline, {session.Now} + cast(@lifetime as bigint), @epoch, {session.Now})
            returning id
            """,
            static row => row.GetInt64(0),
            ("@campaign", owner.CampaignId), ("@run", owner.Run), ("@date", (long)owner.RunDate), ("@partition", owner.PartitionId),
            ("@state", (short)(live > 0 ? BatchState.Claimed : BatchState.Closed)), ("@first", batch.Ids[0]), ("@last", batch.Ids[^1]),
            ("@ids", IdArray.ToColumn(session, batch.Ids)), ("@outcome", Bytes(outcomes)), ("@live", (long)live),
            ("@provider", owner.ProviderId), ("@version", (long)owner.ProviderVersion), ("@hashes", batch.Hashes), ("@key", batch.Key),
            ("@deadline", DeadlineMilliseconds), ("@lifetime", Milliseconds(owner.KeyLifetime)), ("@epoch", owner.Epoch));
    }

    private Task<int> UpdateAsync(LedgerSession session, ReclaimRequest request, RecordOutcome[] outcomes)
    {
        var live = outcomes.Count(outcome => outcome == RecordOutcome.ToCome);
        return session.ExecuteAsync(
            $"""
            update batches set state = @state, outcome = @outcome, live = @live, hashes = @hashes, batch_key = @key, provider_version = @version,
              claimed_at = {session.Now}, deadline_at = {session.Now} + @deadline, repeat_until = {session.Now} + cast(@lifetime as bigint), epoch = @epoch
            where id = @id
            """,
            ("@state", (short)(live > 0 ? BatchState.Claimed : BatchState.Closed)), ("@outcome", Bytes(outcomes)), ("@live", (long)live),
            ("@hashes", request.Batch.Hashes), ("@key", request.Batch.Key), ("@version", (long)request.Owner.ProviderVersion),
            ("@deadline", DeadlineMilliseconds), ("@lifetime", Milliseconds(request.Owner.KeyLifetime)), ("@epoch", request.Owner.Epoch),
            ("@id", request.BatchId));
    }

    private static long? Milliseconds(TimeSpan? time) => time is { } value ? (long)value.TotalMilliseconds : null;

    private static byte[] Bytes(RecordOutcome[] outcomes) => Array.ConvertAll(outcomes, static outcome => (byte)outcome);
}
