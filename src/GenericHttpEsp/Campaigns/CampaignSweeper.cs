namespace GenericHttpEsp.Campaigns;

/// <summary>Pokes campaigns whose work is due, on every silo: crash, restart and schedule are one case. Pokes are idempotent.</summary>
internal sealed partial class CampaignSweeper(
    CampaignWorkStore work, RestoreHold restored, IGrainFactory grains, TimeProvider time, ILogger<CampaignSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PokeEvery = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                await SweepAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            await restored.PauseAllAsync(stoppingToken);
            foreach (var campaign in await work.TakeDueAsync(PokeEvery, stoppingToken))
            {
                // One campaign that is slow to start must not hold back the others.
                PokeAsync(campaign).Ignore();
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogSweepFailed(failure);
        }
    }

    private async Task PokeAsync(long campaign)
    {
        try
        {
            await grains.GetGrain<ICampaignGrain>(campaign).PokeAsync();
        }
        catch (Exception failure)
        {
            LogPokeFailed(failure, campaign);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Looking for campaigns with work failed; trying again")]
    private partial void LogSweepFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {CampaignId} could not go on; trying again")]
    private partial void LogPokeFailed(Exception failure, long campaignId);
}
