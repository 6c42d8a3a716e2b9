using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Claims: fence, then admit, in one transaction and as two statements, so that admission sees what was committed while the fence waited. Claims of several
/// partitions that wait for the writer run as one set.
/// </summary>
internal sealed class ClaimStore
{
    // A claim must outlive the slowest attempt it covers before anybody calls it unknown.
    private const int SlackMilliseconds = 4000;

    private readonly LedgerDatabase _database;
    private readonly OpenClaims _openClaims;
    private readonly SetWrite<PendingClaim, ClaimResult> _set;

    public ClaimStore(LedgerDatabase database, OpenClaims openClaims, IOptions<DispatchOptions> options)
    {
        (_database, _openClaims) = (database, openClaims);
        DeadlineMilliseconds = options.Value.SendWindowMilliseconds + (options.Value.AttemptTimeoutSeconds * 1000L) + SlackMilliseconds;
        _set = new(WriteKind.Claim, static claim => claim.Request.Owner.PartitionId, ClaimSetAsync);
    }

    public long DeadlineMilliseconds { get; }

    public Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken) => GuardAsync(
        gates => _database.WriteAsync(_set, new PendingClaim(request, gates), request.Batches.Count, request.Owner.PartitionId, cancellationToken));

    public Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken) => RunAsync(
        request.Owner.PartitionId,
        async (session, open) =>
        {
            if (!await ClaimStatements.HoldAsync(session, request.Owner))
            {
                return ClaimResult.Fenced;
            }

            if (await BatchRow.FindAsync(session, request.BatchId) is not { State: BatchState.Waiting } row)
            {
                return ClaimResult.Held;
            }

            var gate = open();
            var forbidden = await ClaimStatements.ForbiddenAsync(session, [request.Batch]);
            var change = new CounterChange();
            var outcomes = Admit(request.Batch, forbidden, change);
            await ClaimStatements.UpdateAsync(session, request, outcomes, DeadlineMilliseconds);
            var split = await ClaimStatements.SplitOfFirstAsync(session, row);
            await ApplyAsync(session, request.Owner, outcomes, change);
            return new ClaimResult(
                ClaimStatus.Claimed,
                [new ClaimedBatch(row.Id, row.Attempt, row.BrokenOff, outcomes, request.Batch.Key, split, gate) { PartitionId = row.PartitionId }]);
        },
        cancellationToken);

    /// <summary>A claim that is not of the set. Gates open before the admit statement: whoever forbids later finds them, whoever forbade before is seen by it.</summary>
    public Task<ClaimResult> RunAsync(
        long partition, Func<LedgerSession, Func<SendGate>, Task<ClaimResult>> claim, CancellationToken cancellationToken) => GuardAsync(
        gates => _database.WriteAsync(
            WriteKind.Claim,
            async session =>
            {
                gates.Begin(session.BeganAt);
                var claimed = await claim(session, gates.Open);
                FailPoints.Pass(FailPoints.BeforeClaimCommit);
                return claimed;
            },
            rows: 1,
            affinity: partition,
            cancellationToken));

    private async Task<ClaimResult> GuardAsync(Func<ClaimGates, Task<ClaimResult>> claim)
    {
        var gates = new ClaimGates(_openClaims);
        try
        {
            var result = await claim(gates);
            FailPoints.Pass(FailPoints.AfterClaimCommit);
            return result;
        }
        catch
        {
            gates.CloseAll();
            throw;
        }
    }

    private async Task<IReadOnlyList<ClaimResult>> ClaimSetAsync(LedgerSession session, IReadOnlyList<PendingClaim> claims)
    {
        foreach (var claim in claims)
        {
            claim.Gates.Begin(session.BeganAt);
        }

        var passed = await ClaimStatements.FenceAsync(session, claims);
        PendingClaim[] through = [.. claims.Where(claim => passed.Contains(claim.Request.Owner.PartitionId))];
        foreach (var claim in through)
        {
            claim.Gates.OpenAll(claim.Request.Batches.Count);
        }

        var results = through.Length == 0 ? [] : await AdmitAsync(session, through);
        return [.. claims.Select(claim => results.GetValueOrDefault(claim.Request.Owner.PartitionId, ClaimResult.Fenced))];
    }

    private async Task<Dictionary<long, ClaimResult>> AdmitAsync(LedgerSession session, PendingClaim[] claims)
    {
        var forbidden = await ClaimStatements.ForbiddenAsync(session, [.. claims.SelectMany(static claim => claim.Request.Batches)]);
        var rows = new List<NewBatch>();
        foreach (var (request, _) in claims)
        {
            var change = new CounterChange();
            var first = rows.Count;
            rows.AddRange(request.Batches.Select(batch => new NewBatch(request.Owner, batch, Admit(batch, forbidden, change))));
            await ApplyAsync(session, request.Owner, rows.Skip(first).SelectMany(static row => row.Outcomes), change);
        }

        var ids = await ClaimStatements.InsertAsync(session, rows, DeadlineMilliseconds);
        var results = new Dictionary<long, ClaimResult>();
        var next = 0;
        foreach (var (request, gates) in claims)
        {
            var claimed = request.Batches.Select((batch, i) =>
                new ClaimedBatch(ids[next + i], 0, 0, rows[next + i].Outcomes, batch.Key, 0, gates[i]) { PartitionId = request.Owner.PartitionId }).ToList();
            next += claimed.Count;
            results[request.Owner.PartitionId] = new ClaimResult(ClaimStatus.Claimed, claimed);
            FailPoints.Pass(FailPoints.BeforeClaimCommit);
        }

        return results;
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

    // Only when someone was skipped: an untouched claim must not reset the count of starts.
    private static Task ApplyAsync(LedgerSession session, ClaimOwner owner, IEnumerable<RecordOutcome> outcomes, CounterChange change) =>
        outcomes.Any(static outcome => outcome != RecordOutcome.ToCome) ? change.ApplyAsync(session, owner.PartitionId) : Task.CompletedTask;
}

/// <summary>A claim that waits for the writer, with the gates its last try opened.</summary>
internal sealed record PendingClaim(ClaimRequest Request, ClaimGates Gates);

/// <summary>A batch row about to be inserted.</summary>
internal sealed record NewBatch(ClaimOwner Owner, BatchDraft Draft, RecordOutcome[] Outcomes)
{
    public long Live => Outcomes.LongCount(static outcome => outcome == RecordOutcome.ToCome);

    public BatchState State => Live > 0 ? BatchState.Claimed : BatchState.Closed;
}

/// <summary>The gates of one claim. A group of writes that failed is repeated: the gates of the first try lead nowhere.</summary>
internal sealed class ClaimGates(OpenClaims openClaims)
{
    private readonly List<SendGate> _gates = [];
    private long _beganAt;

    public SendGate this[int index] => _gates[index];

    public void Begin(long beganAt)
    {
        CloseAll();
        _beganAt = beganAt;
    }

    public SendGate Open()
    {
        _gates.Add(openClaims.Open(_beganAt));
        return _gates[^1];
    }

    public void OpenAll(int count)
    {
        while (_gates.Count < count)
        {
            Open();
        }
    }

    public void CloseAll()
    {
        _gates.ForEach(static gate => gate.Dispose());
        _gates.Clear();
    }
}
