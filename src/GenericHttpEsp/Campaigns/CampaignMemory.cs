namespace GenericHttpEsp.Campaigns;

/// <summary>
/// What this activation knows of its campaign. Another one may know better (a network in two parts), so this proves nothing until it is written: that fails where
/// memory is old.
/// </summary>
internal sealed class CampaignMemory(Grain grain, IPersistentState<CampaignState> stored)
{
    public long Id => grain.GetPrimaryKeyLong();

    public CampaignState State => stored.State;

    public Task ReadAsync() => stored.ReadStateAsync();

    public Task SaveAsync()
    {
        State.Revision++;
        return WriteAsync(stored.WriteStateAsync);
    }

    public async Task ClearAsync()
    {
        await WriteAsync(stored.ClearStateAsync);
        grain.DeactivateOnIdle();
    }

    public CampaignView View() => new()
    {
        Id = Id,
        Status = State.Status!,
        Contract = State.Contract!,
        Reason = State.Reason,
        Run = State.Run,
        Revision = State.Revision,
        CreatedAt = State.CreatedAt,
        StartedAt = State.StartedAt,
        EndedAt = State.EndedAt,
        ProviderId = State.ProviderId,
    };

    /// <summary>Null when the run is not this campaign's latest, or has not begun.</summary>
    public RunPlan? Plan(int run) => State.Status is null || run != State.Run || State.StartedAt is not { } startedAt
        ? null
        : new RunPlan(Id, run, State.RunDate, startedAt, State.ProviderId, State.ProviderVersion, State.Contract!, State.PublicUrl);

    private async Task WriteAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch
        {
            // Memory is ahead of storage: the next call reads what is stored.
            grain.DeactivateOnIdle();
            throw;
        }
    }
}
