using Orleans.Streams;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Tells whoever watches a campaign how far it is: every moment while it runs, at each change, and afterwards the events of one moment together. Harmless to lose.
/// </summary>
internal sealed partial class CampaignProgressStream(Grain grain, CampaignMemory memory, CampaignRuns runs, IHostApplicationLifetime host, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    // Its queue may be at a silo that has just gone: whoever wants the campaign paused or stopped would wait as long as for any call, half a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private IGrainTimer? _progress;
    private IGrainTimer? _news;

    /// <summary>From now on, as long as the campaign runs.</summary>
    public void Begin() => _progress ??= grain.RegisterGrainTimer(PublishAsync, new GrainTimerCreationOptions(Every, Every) { KeepAlive = true });

    public void NoteEvents()
    {
        // The timer of a running campaign tells them anyway; afterwards one moment's events are told together.
        if (memory.State.Status is not null && _progress is null)
        {
            _news ??= grain.RegisterGrainTimer(PublishNewsAsync, new GrainTimerCreationOptions(Every, Timeout.InfiniteTimeSpan));
        }
    }

    public async Task PublishAsync()
    {
        if (host.ApplicationStopping.IsCancellationRequested)
        {
            // The grains of the stream end with the silo, and Orleans logs each attempt as a failure.
            return;
        }

        var stats = CampaignStatsRules.Of(memory.State.Status!, memory.State.Reason, await runs.CountsAsync(memory.Id));
        try
        {
            await grain.GetStreamProvider("progress").GetStream<CampaignProgress>("campaigns", memory.Id).OnNextAsync(new CampaignProgress(memory.Id, stats))
                .WaitAsync(Patience, time);
        }
        catch (Exception failure)
        {
            // Progress is harmless to lose; the campaign must not notice a full queue.
            LogProgressLost(failure);
        }

        if (memory.State.Status != CampaignStatuses.Running)
        {
            _progress?.Dispose();
            _progress = null;
        }
    }

    private Task PublishNewsAsync()
    {
        _news?.Dispose();
        _news = null;
        return PublishAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A progress message was lost")]
    private partial void LogProgressLost(Exception failure);
}
