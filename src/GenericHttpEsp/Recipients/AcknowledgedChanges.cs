namespace GenericHttpEsp.Recipients;

/// <summary>
/// Changes of subscriptions as the outside sees them: when a call returns, the change is durable and no request that holds a forbidden address can begin
/// any more. The wait is here and not in the grain, so that the grain is free for the next call meanwhile.
/// </summary>
internal sealed class AcknowledgedChanges(IGrainFactory grains, IForbidBarrier barrier)
{
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

    public async Task EraseAsync(byte[] key, CancellationToken cancellationToken)
    {
        await Grain(key).Erase();
        await barrier.WaitAsync(cancellationToken);
    }

    private IRecipientGrain Grain(byte[] key) => grains.GetGrain<IRecipientGrain>(RecipientKey.Hex(key));
}
