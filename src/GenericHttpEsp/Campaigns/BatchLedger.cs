using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>The ledger as dispatch sees it.</summary>
internal sealed class BatchLedger(ClaimStore claims, RepeatStore repeats, OutcomeStore outcomes) : IBatchLedger
{
    public Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken) => claims.ClaimAsync(request, cancellationToken);

    public Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken) => claims.ReclaimAsync(request, cancellationToken);

    public Task<ClaimResult> RepeatAsync(ReclaimRequest request, CancellationToken cancellationToken) => repeats.RepeatAsync(request, cancellationToken);

    public Task RecordAsync(BatchReport report, CancellationToken cancellationToken) => outcomes.RecordAsync(report, cancellationToken);

    public Task CloseUnsentAsync(long partitionId, string batchKey, CancellationToken cancellationToken) =>
        outcomes.CloseUnsentAsync(partitionId, batchKey, cancellationToken);
}
