using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>
/// The epoch is not asked. Nobody gets anything twice by that: the cursor and the row's state are compared and set in the same transactions, so one of two
/// activations is refused anyway. But what was rendered before a pause goes out after the resume, whatever was corrected between.
/// </summary>
internal sealed class NoEpoch : DeliberateBreak
{
    public override string Rewrite(string sql) => sql
        .Replace("epoch = @epoch and cursor = @from", "(epoch = @epoch or true) and cursor = @from", StringComparison.Ordinal)
        .Replace("set cursor = cursor where id = @id and epoch = @epoch", "set cursor = cursor where id = @id and (epoch = @epoch or true)", StringComparison.Ordinal);
}

/// <summary>Whoever thinks that the campaign runs opens its partitions, also on a memory from before the pause.</summary>
internal sealed class NoControl : DeliberateBreak
{
    public override string Rewrite(string sql) => sql.Replace("control <= @control", "(control <= @control or true)", StringComparison.Ordinal);
}

/// <summary>The claim's fence is open.</summary>
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
