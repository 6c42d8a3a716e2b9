using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Tells the desks of this silo what changed elsewhere: limits, for those who wait in a line that may not move for long under the old ones, sizes that
/// other silos learnt, and ESPs that they found down.
/// </summary>
internal sealed partial class DeskWatch(ProviderDesks desks, ProviderCatalog providers, DeskStore store, TimeProvider time, ILogger<DeskWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    // Well within the half minute that the store looks back.
    private const int RoundsPerNews = 10;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var round = 0;
        await Background.EveryAsync(Every, time, cancellationToken => LookAsync(++round % RoundsPerNews == 0, cancellationToken), stoppingToken);
    }

    private async Task LookAsync(bool newsToo, CancellationToken stoppingToken)
    {
        try
        {
            foreach (var (id, desk) in desks.All.Where(static entry => entry.Value.Budget.HasWaiting))
            {
                // The catalog asks the grain at most once a second.
                if (await providers.GetAsync(id, null, stoppingToken) is { } provider)
                {
                    desk.Follow(provider);
                }
            }

            if (newsToo && desks.All.Count > 0)
            {
                (await store.NewSizesAsync(stoppingToken)).ForEach(size => desks.Find(size.ProviderId)?.Note(size.Version, size.BytesMax));
                await desks.HearAsync(stoppingToken);
            }
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            LogNotSeen(failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What changed of providers elsewhere cannot be seen now; looking again")]
    private partial void LogNotSeen(Exception failure);
}
