namespace GenericHttpEsp.Campaigns;

/// <summary>Where a campaign stands; stored as text.</summary>
internal static class CampaignStatuses
{
    public const string Draft = "draft";
    public const string Scheduled = "scheduled";
    public const string Running = "running";
    public const string Paused = "paused";
    public const string Completed = "completed";
    public const string Stopped = "stopped";
    public const string Failed = "failed";

    public static readonly string[] All = [Draft, Scheduled, Running, Paused, Completed, Stopped, Failed];
}

/// <summary>Stored by Orleans as JSON: property names are the format. <see cref="Name"/> and <see cref="Status"/> feed the index columns.</summary>
internal sealed class CampaignState
{
    public string? Name { get; set; }

    public string? Status { get; set; }

    /// <summary>The contract as JSON.</summary>
    public string? Contract { get; set; }

    public string? Reason { get; set; }

    public long ProviderId { get; set; }

    /// <summary>The template version the latest run is pinned to.</summary>
    public int ProviderVersion { get; set; }

    /// <summary>Number of the latest run; 0 before the first start.</summary>
    public int Run { get; set; }

    /// <summary>yyyymmdd, UTC.</summary>
    public int RunDate { get; set; }

    /// <summary>Begins the links of the latest run, whichever silo renders them; null of a run that an earlier version started.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>The run's audience is yet to be made of whom the earlier runs failed.</summary>
    public bool RetryPending { get; set; }

    public long Revision { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }
}
