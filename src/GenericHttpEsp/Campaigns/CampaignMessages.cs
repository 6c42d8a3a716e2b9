namespace GenericHttpEsp.Campaigns;

/// <summary>How a request to a campaign ended.</summary>
public enum CampaignRefusal
{
    None = 0,
    NotFound = 1,

    /// <summary>Its status does not allow it.</summary>
    LifeCycle = 2,

    /// <summary>The caller has seen an older revision.</summary>
    Stale = 3,

    /// <summary>Provider, content and audience do not fit together.</summary>
    Invalid = 4,
}

[GenerateSerializer, Immutable, Alias("ghe.CampaignView")]
public sealed record CampaignView
{
    [Id(0)] public required long Id { get; init; }

    [Id(1)] public required string Status { get; init; }

    /// <summary>The contract as JSON.</summary>
    [Id(2)] public required string Contract { get; init; }

    [Id(3)] public string? Reason { get; init; }

    [Id(4)] public int Run { get; init; }

    [Id(5)] public long Revision { get; init; }

    [Id(6)] public DateTimeOffset CreatedAt { get; init; }

    [Id(7)] public DateTimeOffset? StartedAt { get; init; }

    [Id(8)] public DateTimeOffset? EndedAt { get; init; }

    [Id(9)] public long ProviderId { get; init; }
}

/// <param name="Errors">JSON pointer to messages, when invalid.</param>
[GenerateSerializer, Immutable, Alias("ghe.CampaignReply")]
public sealed record CampaignReply(
    [property: Id(0)] CampaignRefusal Refusal,
    [property: Id(1)] CampaignView? Campaign,
    [property: Id(2)] string? Detail,
    [property: Id(3)] Dictionary<string, string[]>? Errors)
{
    public static CampaignReply Of(CampaignView campaign) => new(CampaignRefusal.None, campaign, null, null);

    public static CampaignReply Refused(CampaignRefusal refusal, string detail) => new(refusal, null, detail, null);

    public static CampaignReply Invalid(Dictionary<string, string[]> errors) => new(CampaignRefusal.Invalid, null, null, errors);
}

/// <summary>What a run sends: everything a silo needs to compile it.</summary>
[GenerateSerializer, Immutable, Alias("ghe.RunPlan")]
public sealed record RunPlan(
    [property: Id(0)] long CampaignId,
    [property: Id(1)] int Run,
    [property: Id(2)] int RunDate,
    [property: Id(3)] DateTimeOffset StartedAt,
    [property: Id(4)] long ProviderId,
    [property: Id(5)] int ProviderVersion,
    [property: Id(6)] string Contract,
    [property: Id(7)] string? PublicUrl = null);

/// <summary>A moment of a campaign, for whoever watches. Harmless to lose.</summary>
[GenerateSerializer, Immutable, Alias("ghe.CampaignProgress")]
public sealed record CampaignProgress(
    [property: Id(0)] long CampaignId, [property: Id(1)] CampaignStats Stats);
