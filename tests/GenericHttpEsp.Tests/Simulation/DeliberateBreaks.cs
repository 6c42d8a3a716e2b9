using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>
/// The claim's fence is open. (The epoch alone is not missed: the cursor is compared and set in the same statement, so one of two activations is refused
/// anyway; the epoch spares the detour.)
/// </summary>
internal sealed class NoFence : DeliberateBreak
{
    public override string Rewrite(string sql) => sql.Replace(
        "epoch = @epoch and cursor = @from", "(epoch = @epoch or true) and (cursor = @from or true)", StringComparison.Ordinal);
}

/// <summary>The outcome is written first and the request made afterwards.</summary>
internal sealed class OutcomeBeforeSend : DeliberateBreak
{
    public override IBatchLedger Over(IBatchLedger ledger) => new Eager(ledger);

    private sealed class Eager(IBatchLedger inner) : IBatchLedger
    {
        public Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken) => RecordAsync(inner.ClaimAsync(request, cancellationToken));

        public Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken) =>
            RecordAsync(inner.ReclaimAsync(request, cancellationToken));

        public Task<ClaimResult> RepeatAsync(ReclaimRequest request, CancellationToken cancellationToken) => inner.RepeatAsync(request, cancellationToken);

        public Task RecordAsync(BatchReport report, CancellationToken cancellationToken) => inner.RecordAsync(report, cancellationToken);

        public Task CloseUnsentAsync(long partitionId, string batchKey, CancellationToken cancellationToken) =>
            inner.CloseUnsentAsync(partitionId, batchKey, cancellationToken);

        private async Task<ClaimResult> RecordAsync(Task<ClaimResult> claiming)
        {
            var claimed = await claiming;
            foreach (var batch in claimed.Batches)
            {
                await inner.RecordAsync(ReportRules.ByRecord(batch.Id, batch.Outcomes, null, "too early"), CancellationToken.None);
            }

            return claimed;
        }
    }
}

/// <summary>The claim does not look at subscriptions.</summary>
internal sealed class NoSubscriptionCheck : DeliberateBreak
{
    public override string Rewrite(string sql) => sql.Replace("where p.id is null or s.key is not null", "where p.id is null", StringComparison.Ordinal);
}

/// <summary>A copy of an event counts as a new one.</summary>
internal sealed class NoDedupe : DeliberateBreak
{
    public override string Rewrite(string sql) => sql.Contains("insert into events", StringComparison.Ordinal)
        ? sql.Replace("on conflict do nothing", "on conflict do update set received_at = excluded.received_at", StringComparison.Ordinal)
        : sql;
}
