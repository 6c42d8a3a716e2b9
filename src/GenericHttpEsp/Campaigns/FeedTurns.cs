using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// How many partitions of one campaign are rendered ahead at once in this silo. Each holds up to ten megabytes of rendered records on their way; a large audience
/// has up to 64 partitions, and a silo's memory must not grow with the audience. Two for each processor keep all of them busy while claims are written.
/// </summary>
internal sealed class FeedTurns
{
    public static readonly int AtOnceMax = Math.Max(4, 2 * Environment.ProcessorCount);

    private readonly Lock _lock = new();
    private readonly Dictionary<long, Campaign> _campaigns = [];

    /// <summary>A turn, to be disposed; null when all are taken.</summary>
    /// <param name="campaignId">Campaigns do not wait for each other.</param>
    /// <param name="freed">Completes when it is worth asking again.</param>
    public IDisposable? TryTake(long campaignId, out Task freed)
    {
        lock (_lock)
        {
            if (!_campaigns.TryGetValue(campaignId, out var campaign))
            {
                _campaigns[campaignId] = campaign = new Campaign();
            }

            freed = campaign.Freed.Task;
            if (campaign.Taken >= AtOnceMax)
            {
                return null;
            }

            campaign.Taken++;
            return new Turn(this, campaignId);
        }
    }

    private void Free(long campaignId)
    {
        TaskCompletionSource freed;
        lock (_lock)
        {
            var campaign = _campaigns[campaignId];
            campaign.Taken--;
            freed = campaign.Freed;
            campaign.Freed = new();
            if (campaign.Taken == 0)
            {
                _campaigns.Remove(campaignId);
            }
        }

        // Whoever waits does not go on inside of what ends the turn.
        Background.Run(() =>
        {
            freed.SetResult();
            return Task.CompletedTask;
        }).Ignore();
    }

    private sealed class Campaign
    {
        public int Taken { get; set; }

        public TaskCompletionSource Freed { get; set; } = new();
    }

    private sealed class Turn(FeedTurns turns, long campaignId) : IDisposable
    {
        private bool _over;

        public void Dispose()
        {
            if (!_over)
            {
                _over = true;
                turns.Free(campaignId);
            }
        }
    }
}
