using System.Collections.Concurrent;

namespace GenericHttpEsp.Campaigns;

/// <summary>Pokes campaigns whose work is due, on every silo: crash, restart and schedule are one case. Pokes are idempotent.</summary>
internal sealed partial class CampaignSweeper(
    CampaignWorkStore work, RestoreHold restored, IGrainFactory grains, TimeProvider time, ILogger<CampaignSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PokeEvery = TimeSpan.FromSeconds(2);

    // A grain takes its calls in turn: pokes that come faster than it answers them would stand in line before an operator's stop.
    private readonly ConcurrentDictionary<long, bool> _poked = [];

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
                if (_poked.TryAdd(campaign, true))
                {
                    PokeAsync(campaign).Ignore();
                }
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
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
        finally
        {
            _poked.TryRemove(campaign, out _);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Looking for campaigns with work failed; trying again")]
    private partial void LogSweepFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {CampaignId} could not go on; trying again")]
    private partial void LogPokeFailed(Exception failure, long campaignId);
}
