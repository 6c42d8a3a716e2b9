using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>Body of <c>POST /v1/campaigns</c> and <c>PUT /v1/campaigns/{id}</c>. Texts are Liquid; <c>html</c> and <c>ampHtml</c> escape their output.</summary>
public sealed record CampaignContract
{
    [Required, StringLength(200, MinimumLength = 1)]
    public string? Name { get; init; }

    [Required, Range(1, 9007199254740991)]
    public long? ProviderId { get; init; }

    [Required]
    public AudienceContract? Audience { get; init; }

    [StringLength(10_000)]
    public string? Subject { get; init; }

    [StringLength(1000)]
    public string? FromName { get; init; }

    [StringLength(1000)]
    public string? FromAddress { get; init; }

    [StringLength(1000)]
    public string? ReplyToAddress { get; init; }

    [StringLength(10_000)]
    public string? Cc { get; init; }

    [StringLength(10_000)]
    public string? Bcc { get; init; }

    public string? Html { get; init; }

    public string? Plaintext { get; init; }

    public string? AmpHtml { get; init; }

    /// <summary>Custom placeholders of the provider's template, without the <c>$$</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Values { get; init; }

    /// <summary>When <c>start</c> takes effect; absent or past: at once.</summary>
    public DateTimeOffset? Schedule { get; init; }
}

/// <summary>A campaign as answered: the contract's members, and where it stands.</summary>
public sealed record CampaignAnswer
{
    public required long Id { get; init; }

    /// <summary>draft, scheduled, running, paused, completed, stopped or failed.</summary>
    public required string Status { get; init; }

    /// <summary>Why it paused or failed by itself.</summary>
    public string? Reason { get; init; }

    /// <summary>Number of the latest run; 0 before the first start.</summary>
    public int Run { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public required string? Name { get; init; }

    public required long? ProviderId { get; init; }

    public required AudienceContract? Audience { get; init; }

    public string? Subject { get; init; }

    public string? FromName { get; init; }

    public string? FromAddress { get; init; }

    public string? ReplyToAddress { get; init; }

    public string? Cc { get; init; }

    public string? Bcc { get; init; }

    public string? Html { get; init; }

    public string? Plaintext { get; init; }

    public string? AmpHtml { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Values { get; init; }

    public DateTimeOffset? Schedule { get; init; }

    internal static CampaignAnswer Of(CampaignView view, CampaignContract contract) => new()
    {
        Id = view.Id,
        Status = view.Status,
        Reason = view.Reason,
        Run = view.Run,
        CreatedAt = view.CreatedAt,
        StartedAt = view.StartedAt,
        EndedAt = view.EndedAt,
        Name = contract.Name,
        ProviderId = contract.ProviderId,
        Audience = contract.Audience,
        Subject = contract.Subject,
        FromName = contract.FromName,
        FromAddress = contract.FromAddress,
        ReplyToAddress = contract.ReplyToAddress,
        Cc = contract.Cc,
        Bcc = contract.Bcc,
        Html = contract.Html,
        Plaintext = contract.Plaintext,
        AmpHtml = contract.AmpHtml,
        Values = contract.Values,
        Schedule = contract.Schedule,
    };
}

/// <summary>
/// Where everybody of the audience is. <c>audience = accepted + refused + failed + skipped + unknown + toCome</c>, always; <c>inFlight</c> is the part of
/// <c>toCome</c> on the wire. What callbacks tell (delivered and so on) is counted by events.
/// </summary>
[GenerateSerializer, Immutable, Alias("ghe.CampaignStats")]
public sealed record CampaignStats
{
    [Id(0)] public required string Status { get; init; }

    [Id(1)] public required long Audience { get; init; }

    [Id(2)] public required long Accepted { get; init; }

    [Id(3)] public required long Refused { get; init; }

    [Id(4)] public required long Failed { get; init; }

    [Id(5)] public required long Skipped { get; init; }

    /// <summary>unsubscribed, group, erased, render, badAddress, tooLate, stopped.</summary>
    [Id(6)] public required Dictionary<string, long> SkippedByReason { get; init; }

    [Id(7)] public required long Unknown { get; init; }

    [Id(8)] public required long ToCome { get; init; }

    [Id(9)] public required long InFlight { get; init; }

    /// <summary>Why the campaign paused or failed by itself.</summary>
    [Id(10)] public string? Reason { get; init; }

    /// <summary>Records whose request may have been made twice, by the provider's own policy.</summary>
    [Id(11)] public long PossiblyRepeated { get; init; }

    [Id(12)] public long Delivered { get; init; }

    [Id(13)] public long HardBounce { get; init; }

    [Id(14)] public long SoftBounce { get; init; }

    [Id(15)] public long Spam { get; init; }

    /// <summary>Events of this type: people who unsubscribed through the ESP.</summary>
    [Id(16)] public long Unsubscribed { get; init; }

    [Id(17)] public long Clicked { get; init; }

    /// <summary>Messages clicked at least once.</summary>
    [Id(18)] public long ClickedUnique { get; init; }
}
