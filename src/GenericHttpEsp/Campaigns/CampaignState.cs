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

/// <summary>
/// Stored by Orleans as JSON: property names are the format. <see cref="Name"/> and <see cref="Status"/> feed the index columns. The methods are the steps of the
/// life cycle; <see cref="CampaignRules"/> says which may be taken when.
/// </summary>
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

    public void Draft(string contract, DateTimeOffset now)
    {
        (Status, CreatedAt) = (CampaignStatuses.Draft, now);
        Take(contract);
    }

    public void Take(string contract)
    {
        Contract = contract;
        (Name, ProviderId) = CampaignSchedule.NameAndProvider(contract);
    }

    public void Begin(DateTimeOffset began, string publicUrl)
    {
        (Run, PublicUrl) = (Run + 1, publicUrl);
        (Status, StartedAt, RunDate) = (CampaignStatuses.Running, began, CampaignRuns.DateOf(began));
    }

    public void Pause(string? reason) => (Status, Reason) = (CampaignStatuses.Paused, reason);

    /// <summary>One that was held before its time came waits for that again.</summary>
    public void Resume() => (Status, Reason) = (StartedAt is null ? CampaignStatuses.Scheduled : CampaignStatuses.Running, null);

    public void Stop(DateTimeOffset now) => (Status, EndedAt) = (CampaignStatuses.Stopped, now);

    public void Fail(string reason, DateTimeOffset now) => (Status, Reason, EndedAt) = (CampaignStatuses.Failed, reason, now);

    public void Complete(DateTimeOffset now) => (Status, EndedAt) = (CampaignStatuses.Completed, now);

    /// <summary>The next run is intended; its audience is yet to be made.</summary>
    public void Retry(int providerVersion, DateTimeOffset now, string publicUrl)
    {
        (Status, Reason, EndedAt, RetryPending) = (CampaignStatuses.Running, null, null, true);
        (Run, ProviderVersion, StartedAt, RunDate) = (Run + 1, providerVersion, now, CampaignRuns.DateOf(now));
        PublicUrl = publicUrl;
    }

    public void RetryBegan(DateTimeOffset began) => (RetryPending, StartedAt, RunDate) = (false, began, CampaignRuns.DateOf(began));
}
