using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>Thin: sees to it that one <see cref="PartitionRun"/> works on the partition, off the grain's scheduler.</summary>
[GrainType("partition"), LanePlacement]
internal sealed class PartitionGrain(PartitionWork work) : Grain, IPartitionGrain, IDisposable
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);
    private PartitionRun? _run;
    private IGrainTimer? _alive;

    public Task StartAsync(long campaignId)
    {
        if (_run is null or { IsOver: true })
        {
            _run?.Dispose();
            _run = new PartitionRun(work, campaignId, this.GetPrimaryKeyLong());
            work.Here(GrainContext, this.GetPrimaryKeyLong(), campaignId);
            _alive ??= this.RegisterGrainTimer(
                static grain => grain.RestAsync(), this, new GrainTimerCreationOptions(KeepAlive, KeepAlive) { KeepAlive = true });
        }

        return Task.CompletedTask;
    }

    /// <summary>A partition without work need not stay in memory.</summary>
    private Task RestAsync()
    {
        if (_run is { IsOver: true })
        {
            _alive?.Dispose();
            _alive = null;
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    public Task HaltAsync() => _run?.StopAsync() ?? Task.CompletedTask;

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        work.Gone(GrainContext);
        await HaltAsync();
    }

    public void Dispose() => _run?.Dispose();
}
