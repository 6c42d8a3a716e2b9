using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Campaigns;

/// <summary>What working on partitions needs from outside.</summary>
internal sealed partial class PartitionWork(
    PartitionStore partitions,
    AudienceStore audience,
    ProfileStore profiles,
    IRunTemplates templates,
    IGrainFactory grains,
    LaneTenants tenants,
    IHostApplicationLifetime host,
    TimeProvider time,
    ILogger<PartitionWork> logger)
{
    public PartitionStore Partitions => partitions;

    public AudienceStore Audience => audience;

    public ProfileStore Profiles => profiles;

    public IRunTemplates Templates => templates;

    public TimeProvider Time => time;

    public FeedTurns Turns { get; } = new();

    /// <summary>A silo that ends takes no more epochs: it would turn those away who have taken its work over.</summary>
    public CancellationToken Stopping => host.ApplicationStopping;

    public IDispatcherGrain Dispatcher(long providerId, long partition) =>
        grains.GetGrain<IDispatcherGrain>(providerId, Lane(partition));

    public static string Lane(long partition) => Lanes.KeyOf(partition);

    /// <summary>From now on the partition is here, until <see cref="Gone"/> or until the silos want it elsewhere: there it is begun again.</summary>
    public void Here(IGrainContext context, long partition, long campaignId) => tenants.Add(
        new LaneTenant(context, time.GetTimestamp()) { GoOnAsync = () => grains.GetGrain<IPartitionGrain>(partition).StartAsync(campaignId) });

    public void Gone(IGrainContext context) => tenants.Remove(context);

    /// <summary>Not awaited by anybody: a dispatcher that cannot be told forgets with its activation.</summary>
    public Task DropAsync(long providerId, long partition, long epoch) => Dispatcher(providerId, partition).DropAsync(partition, epoch);

    public async Task<bool> DoneAsync(PartitionLease lease)
    {
        await grains.GetGrain<ICampaignGrain>(lease.CampaignId).PokeAsync();
        return true;
    }

    public Task FailAsync(PartitionLease lease, long partition)
    {
        LogCrashLoop(lease.CampaignId, partition);
        return grains.GetGrain<ICampaignGrain>(lease.CampaignId).FailAsync("It ended the process three times before any request had an outcome.");
    }

    public Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken) => Task.Delay(delay, time, cancellationToken);

    /// <summary>Until it is over, the patience is or the token is cancelled; which of them, and how it ended, is for the caller to ask.</summary>
    public async Task WaitAsync(Task task, TimeSpan patience, CancellationToken cancellationToken) =>
        await task.WaitAsync(patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    public void NoteTrouble(long partition, Exception failure) => LogTrouble(failure, partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Partition {PartitionId} met trouble and begins again under a new epoch")]
    private partial void LogTrouble(Exception failure, long partitionId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Campaign {CampaignId} fails: its partition {PartitionId} ended the process three times")]
    private partial void LogCrashLoop(long campaignId, long partitionId);
}
