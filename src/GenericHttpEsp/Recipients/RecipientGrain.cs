using Orleans.Storage;

namespace GenericHttpEsp.Recipients;

[GrainType("recipient")]
internal sealed class RecipientGrain(
    [PersistentState("subscription", RecipientGrainStorage.Name)] IPersistentState<SubscriptionState> subscription,
    ProfileStore profiles,
    TimeProvider time) : Grain, IRecipientGrain
{
    // Another activation can exist for a moment only, while silos come and go.
    private const int AttemptsMax = 5;

    public Task<SubscriptionSnapshot> Get() => Task.FromResult(SubscriptionRules.Snapshot(subscription.State));

    public Task<SubscriptionSnapshot> SetByHand(SubscriptionStatus status, string? reason) =>
        ChangeAsync(state => SubscriptionRules.SetByHand(state, status, reason, Now()));

    public Task<SubscriptionSnapshot> Forbid(ForbidCommand command) =>
        ChangeAsync(state => SubscriptionRules.Forbid(state, command, Now()));

    public async Task<SubscriptionSnapshot> Erase()
    {
        await profiles.DeleteAsync(Convert.FromHexString(this.GetPrimaryKeyString()));
        return await ChangeAsync(SubscriptionRules.Erase);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private Task<SubscriptionSnapshot> ChangeAsync(Action<SubscriptionState> apply) => ChangeAsync(state =>
    {
        apply(state);
        return true;
    });

    /// <summary>
    /// Writes even when nothing changed: the storage then proves that the row is still the one loaded, since a second activation may have moved on.
    /// </summary>
    private async Task<SubscriptionSnapshot> ChangeAsync(Func<SubscriptionState, bool> applyAndKeep)
    {
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await (applyAndKeep(subscription.State) ? subscription.WriteStateAsync() : subscription.ClearStateAsync());
                    return SubscriptionRules.Snapshot(subscription.State);
                }
                catch (InconsistentStateException) when (attempt < AttemptsMax)
                {
                    await subscription.ReadStateAsync();
                }
            }
        }
        catch
        {
            // Memory is ahead of the database now.
            DeactivateOnIdle();
            throw;
        }
    }
}
