using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>In a restored database every campaign that would go on waits for a person: what was sent since the backup is not known here.</summary>
internal sealed partial class RestoreHold(LedgerDatabase database, CampaignIndex campaigns, IGrainFactory grains, ILogger<RestoreHold> logger)
{
    /// <summary>Those that wait already too: whoever paused them did not know that they would be restored.</summary>
    private static readonly string[] Unfinished = [CampaignStatuses.Paused, CampaignStatuses.Scheduled, CampaignStatuses.Running];

    /// <summary>Nothing, unless the database is marked as restored. May be repeated, and by several silos at once.</summary>
    public async Task PauseAllAsync(CancellationToken cancellationToken)
    {
        if (await RestoreMark.ReadAsync(database, cancellationToken) is not { } because)
        {
            return;
        }

        var reason = $"Restored from a backup: {because}. Messages sent after the backup was made are not known here: resuming sends them again. Resume, or stop the campaign.";
        var held = 0;
        foreach (var status in Unfinished)
        {
            held += await PauseAsync(status, reason, cancellationToken);
        }

        await RestoreMark.ClearAsync(database, because, cancellationToken);
        LogHeld(held, because);
    }

    private async Task<int> PauseAsync(string status, string reason, CancellationToken cancellationToken)
    {
        var held = 0;
        for (var after = 0L; ;)
        {
            var page = await campaigns.PageAsync(new PageRequest(after, PageRequest.LimitMax), status, cancellationToken);
            await Task.WhenAll(page.Select(campaign => grains.GetGrain<ICampaignGrain>(campaign.Id).HoldAsync(reason)));
            held += page.Count;
            if (page.Count == 0)
            {
                return held;
            }

            after = page[^1].Id;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This database was restored from a backup: {Because}. {Campaigns} unfinished campaigns are paused until somebody resumes or stops them")]
    private partial void LogHeld(int campaigns, string because);
}
