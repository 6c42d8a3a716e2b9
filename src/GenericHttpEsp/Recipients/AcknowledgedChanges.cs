using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// Changes of subscriptions as the outside sees them: when a call returns, the change is durable and no request that holds a forbidden address can begin
/// any more. The wait is here and not in the grain, so that the grain is free for the next call meanwhile.
/// </summary>
internal sealed class AcknowledgedChanges(IGrainFactory grains, IForbidBarrier barrier, LedgerDatabase database)
{
    // The storage gathers what grains write at the same time; more waiting calls than its set holds gain nothing.
    private const int ForbiddingAtOnceMax = 512;

    public async Task<SubscriptionSnapshot> SetByHandAsync(byte[] key, SubscriptionStatus status, string? reason, CancellationToken cancellationToken)
    {
        var subscription = await Grain(key).SetByHand(status, reason);
        if (subscription.Status == SubscriptionStatus.Unsubscribed)
        {
            // Also when it was so before: the one who changed it may still be waiting.
            await barrier.WaitAsync(cancellationToken);
        }

        return subscription;
    }

    /// <summary>All events of a callback body that forbid, many grains at once and one wait for all.</summary>
    public async Task ForbidAsync(IReadOnlyList<(byte[] Key, ForbidCommand Command)> changes, CancellationToken cancellationToken)
    {
        if (changes.Count == 0)
        {
            return;
        }

        await Parallel.ForEachAsync(
            changes,
            new ParallelOptions { MaxDegreeOfParallelism = ForbiddingAtOnceMax, CancellationToken = cancellationToken, TaskScheduler = Background.Scheduler },
            async (change, _) =>
            {
                await Grain(change.Key).Forbid(change.Command);
                FailPoints.Pass(FailPoints.AfterForbidCommit);
            });
        await barrier.WaitAsync(cancellationToken);
    }

    public async Task EraseAsync(byte[] key, CancellationToken cancellationToken)
    {
        await Grain(key).Erase();
        await database.ForgetDeletedAsync(cancellationToken);
        await barrier.WaitAsync(cancellationToken);
    }

    private IRecipientGrain Grain(byte[] key) => grains.GetGrain<IRecipientGrain>(RecipientKey.Hex(key));
}
