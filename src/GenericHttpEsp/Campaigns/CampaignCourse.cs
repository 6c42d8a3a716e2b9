using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Goes on with a campaign from wherever it stands, as often as it is poked: what an earlier process left undone is done by the next one. Work is announced before
/// the state says so, and forgotten once the state says that there is none.
/// </summary>
internal sealed class CampaignCourse(CampaignMemory memory, CampaignRuns runs, CampaignProgressStream progress, TimeProvider time)
{
    private long Id => memory.Id;

    private CampaignState State => memory.State;

    public async Task GoOnAsync()
    {
        // Of two activations the one with the older memory may have been left over: it would halt the other's run, or forget its work, for ever.
        await memory.ReadAsync();
        switch (State.Status)
        {
            case CampaignStatuses.Scheduled:
                await BeginAsync(time.GetUtcNow());
                break;
            case CampaignStatuses.Running:
                await ContinueAsync();
                break;
            case CampaignStatuses.Paused:
                await runs.PauseAsync(Id, State.Run, State.Revision);
                await runs.SettleAsync(Id);
                await runs.KeepPinnedAsync(Id, State.ProviderId, State.ProviderVersion);
                break;
            case CampaignStatuses.Stopped:
                await runs.StopAsync(Id, State.Run);
                await ForgetWhenSettledAsync();
                break;
            case CampaignStatuses.Failed:
                await runs.PauseAsync(Id, State.Run, State.Revision);
                await ForgetWhenSettledAsync();
                break;
            default:
                // Deleted, completed, or a start that crashed before anybody was told that it happened.
                await AbandonAsync();
                break;
        }
    }

    public async Task BeginAsync(DateTimeOffset now)
    {
        await runs.AnnounceAsync(Id, due: null, State.Revision + 1);
        FailPoints.Pass(FailPoints.StartAnnounced);
        var began = await runs.OpenAsync(Id, State.Run + 1, now, State.Contract!);
        FailPoints.Pass(FailPoints.StartOpened);
        State.Begin(began, runs.PublicUrl);
        await memory.SaveAsync();
        FailPoints.Pass(FailPoints.StartSaved);
        await ContinueAsync();
    }

    public async Task ContinueAsync()
    {
        progress.Begin();
        if (State.RetryPending)
        {
            var began = await runs.RetryAsync(Id, State.Run, State.StartedAt!.Value);
            State.RetryBegan(began);
            await memory.SaveAsync();
        }

        if (await runs.ContinueAsync(Id, State.Run, State.Revision))
        {
            State.Complete(time.GetUtcNow());
            await memory.SaveAsync();
            FailPoints.Pass(FailPoints.EndSaved);
            await ForgetAsync();
            await progress.PublishAsync();
            return;
        }

        await runs.KeepPinnedAsync(Id, State.ProviderId, State.ProviderVersion);
    }

    /// <summary>
    /// What was announced will not be. The state moves past the announcement first: another activation that has made it fails to store, or has stored already
    /// and this one fails.
    /// </summary>
    public async Task AbandonAsync()
    {
        if (State.Status is not null && await runs.IsAnnouncedLaterAsync(Id, State.Revision))
        {
            await memory.SaveAsync();
        }

        await ForgetAsync();
    }

    private async Task ForgetWhenSettledAsync()
    {
        if (await runs.SettleAsync(Id))
        {
            await ForgetAsync();
        }
    }

    private async Task ForgetAsync()
    {
        await runs.UnpinAsync(Id, State.ProviderId);
        FailPoints.Pass(FailPoints.EndUnpinned);
        // Ids of deleted ones are not used again.
        await runs.ForgetAsync(Id, State.Status is null ? long.MaxValue : State.Revision);
    }
}
