namespace GenericHttpEsp.Campaigns;

/// <summary>A campaign's next run: the first one, at once or at its time, or a retry of whom the earlier ones failed. Null: done; else why not.</summary>
internal sealed class CampaignStart(CampaignMemory memory, CampaignRuns runs, CampaignCourse course, TimeProvider time)
{
    private long Id => memory.Id;

    private CampaignState State => memory.State;

    public async Task<CampaignReply?> StartAsync()
    {
        var now = time.GetUtcNow();
        var (version, errors) = await runs.PinAsync(Id, State.Contract!, State.Run + 1, now);
        if (errors is not null)
        {
            return CampaignReply.Invalid(errors);
        }

        State.ProviderVersion = version;
        if (CampaignSchedule.Of(State.Contract!) is { } due && due > now)
        {
            await runs.AnnounceAsync(Id, due, State.Revision + 1);
            State.Status = CampaignStatuses.Scheduled;
            await memory.SaveAsync();
        }
        else
        {
            await course.BeginAsync(now);
        }

        return null;
    }

    public async Task<CampaignReply?> RetryFailedAsync()
    {
        if (CampaignRules.RefuseRetry(await runs.CountsAsync(Id)) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow();
        var (version, errors) = await runs.PinAsync(Id, State.Contract!, State.Run + 1, now);
        if (errors is not null)
        {
            return CampaignReply.Invalid(errors);
        }

        await runs.AnnounceAsync(Id, due: null, State.Revision + 1);
        if (await runs.IsOlderThanRetentionAsync(Id))
        {
            await course.AbandonAsync();
            return CampaignReply.Refused(
                CampaignRefusal.LifeCycle, "The campaign is older than retention: how many failed is known, but not who. Make a new one.");
        }

        // The intent first: from here on every poke completes it, however often the process ends.
        State.Retry(version, now, runs.PublicUrl);
        await memory.SaveAsync();
        await course.ContinueAsync();
        return null;
    }
}
