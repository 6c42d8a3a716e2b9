using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>The ledger with a long way from a claim's commit to its request: whatever can go wrong in between gets its chance.</summary>
/// <param name="claimed">Runs after each claim's commit; the request waits for it.</param>
internal sealed class StretchedLedger(IBatchLedger inner, Func<ClaimRequest, Task> claimed) : IBatchLedger
{
    public async Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        var result = await inner.ClaimAsync(request, cancellationToken);
        await claimed(request);
        return result;
    }

    public Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken) => inner.ReclaimAsync(request, cancellationToken);

    public Task<ClaimResult> RepeatAsync(ReclaimRequest request, CancellationToken cancellationToken) => inner.RepeatAsync(request, cancellationToken);

    public Task RecordAsync(BatchReport report, CancellationToken cancellationToken) => inner.RecordAsync(report, cancellationToken);

    public Task CloseUnsentAsync(long partitionId, string batchKey, CancellationToken cancellationToken) =>
        inner.CloseUnsentAsync(partitionId, batchKey, cancellationToken);
}
