using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>Pauses campaigns that cannot go on.</summary>
internal sealed class CampaignControl(CampaignWorkStore work, IGrainFactory grains) : ICampaignControl
{
    public async Task PauseCampaignAsync(long campaignId, string reason)
    {
        // Many requests meet the same refusal: only the first waits for the pause.
        var grain = grains.GetGrain<ICampaignGrain>(campaignId);
        if (await grain.GetAsync() is { Status: CampaignStatuses.Running })
        {
            await grain.PauseAsync(reason);
        }
    }

    public async Task PauseProviderAsync(long providerId, string reason)
    {
        var campaigns = await work.AllAsync(CancellationToken.None);
        await Task.WhenAll(campaigns.Select(campaign => PauseIfOfAsync(campaign, providerId, reason)));
    }

    private async Task PauseIfOfAsync(long campaignId, long providerId, string reason)
    {
        var grain = grains.GetGrain<ICampaignGrain>(campaignId);
        if (await grain.GetAsync() is { Status: CampaignStatuses.Running } campaign && campaign.ProviderId == providerId)
        {
            await grain.PauseAsync(reason);
        }
    }
}
