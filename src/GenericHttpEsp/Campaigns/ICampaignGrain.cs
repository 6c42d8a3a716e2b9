namespace GenericHttpEsp.Campaigns;

/// <summary>One campaign: life cycle and plan. Every method may be repeated.</summary>
[Alias("ghe.ICampaignGrain"), GrainInterfaceType("ghe.ICampaignGrain")]
public interface ICampaignGrain : IGrainWithIntegerKey
{
    /// <summary>Stores a draft; repeated with the same contract it changes nothing.</summary>
    /// <param name="contract">JSON of a checked <see cref="CampaignContract"/>.</param>
    [Alias("Create")]
    Task<CampaignReply> CreateAsync(string contract);

    /// <param name="contract">JSON of a checked <see cref="CampaignContract"/>.</param>
    /// <param name="revision">The revision the caller has seen; null takes any.</param>
    [Alias("Replace")]
    Task<CampaignReply> ReplaceAsync(string contract, long? revision);

    [Alias("Delete")]
    Task<CampaignReply> DeleteAsync();

    [Alias("Get"), Orleans.Concurrency.AlwaysInterleave]
    Task<CampaignView?> GetAsync();

    /// <summary>Fixes the audience and begins, or waits for its time. A large audience takes seconds.</summary>
    [Alias("Start"), ResponseTimeout("00:10:00")]
    Task<CampaignReply> StartAsync();

    /// <summary>No request begins after the answer.</summary>
    [Alias("Pause")]
    Task<CampaignReply> PauseAsync(string? reason);

    /// <summary>After a restore: a campaign that would go on, now or at its time, waits for a person. Who waits already learns the reason.</summary>
    [Alias("Hold")]
    Task HoldAsync(string reason);

    /// <summary>One that was held before its time came waits for that again.</summary>
    [Alias("Resume")]
    Task<CampaignReply> ResumeAsync();

    /// <summary>No request begins after the answer; what is left is skipped as stopped.</summary>
    [Alias("Stop"), ResponseTimeout("00:02:00")]
    Task<CampaignReply> StopAsync();

    /// <summary>A new run for failed and refused people; refused as life cycle when there are none, or something is still on the wire.</summary>
    [Alias("RetryFailed"), ResponseTimeout("00:10:00")]
    Task<CampaignReply> RetryFailedAsync();

    /// <summary>The action, if the caller has seen the current revision; else stale.</summary>
    /// <param name="action">Any but <see cref="CampaignAction.Edit"/>: see <see cref="ReplaceAsync"/>.</param>
    /// <param name="revision">The one the caller has seen.</param>
    [Alias("ActIf"), ResponseTimeout("00:10:00")]
    Task<CampaignReply> ActIfAsync(CampaignAction action, long revision);

    /// <summary>The sweeper's call, and a partition's when it is done: goes on with whatever is due.</summary>
    [Alias("Poke"), ResponseTimeout("00:10:00")]
    Task PokeAsync();

    /// <summary>Ends the campaign as failed: it ended the process again and again.</summary>
    [Alias("Fail")]
    Task FailAsync(string reason);

    /// <summary>Events of this campaign were recorded: whoever watches sees new totals. Harmless to lose.</summary>
    [Alias("NoteEvents"), Orleans.Concurrency.OneWay, Orleans.Concurrency.AlwaysInterleave]
    Task NoteEventsAsync();

    /// <summary>Null when the run is not this campaign's.</summary>
    [Alias("GetPlan"), Orleans.Concurrency.AlwaysInterleave]
    Task<RunPlan?> GetPlanAsync(int run);
}

/// <summary>One slice of a run's audience. Key: the partition's id.</summary>
[Alias("ghe.IPartitionGrain"), GrainInterfaceType("ghe.IPartitionGrain")]
public interface IPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>Sees to it that the partition is being worked on.</summary>
    [Alias("Start")]
    Task StartAsync(long campaignId);

    /// <summary>Ends the work on it; what was rendered is thrown away.</summary>
    [Alias("Halt")]
    Task HaltAsync();
}
