using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>From counters to the contract's words.</summary>
internal static class CampaignStatsRules
{
    public static readonly (string Name, RecordOutcome Outcome)[] SkipReasons =
    [
        ("unsubscribed", RecordOutcome.SkippedUnsubscribed),
        ("group", RecordOutcome.SkippedGroup),
        ("erased", RecordOutcome.SkippedErased),
        ("render", RecordOutcome.SkippedRender),
        ("badAddress", RecordOutcome.SkippedBadAddress),
        ("tooLate", RecordOutcome.SkippedTooLate),
        ("stopped", RecordOutcome.SkippedStopped),
    ];

    public static CampaignStats Of(string status, string? reason, CampaignCounts counts) => new()
    {
        Status = status,
        Reason = reason,
        // Whom a later run took over is in that run's audience too.
        Audience = counts.Audience - counts.By[RecordOutcome.Retried],
        Accepted = counts.By[RecordOutcome.Accepted],
        Refused = counts.By[RecordOutcome.Refused],
        Failed = counts.By[RecordOutcome.Failed],
        Skipped = SkipReasons.Sum(skip => counts.By[skip.Outcome]),
        SkippedByReason = SkipReasons.ToDictionary(skip => skip.Name, skip => counts.By[skip.Outcome]),
        Unknown = counts.By[RecordOutcome.Unknown],
        ToCome = counts.By[RecordOutcome.ToCome],
        InFlight = counts.InFlight,
        PossiblyRepeated = counts.PossiblyRepeated,
        Delivered = counts.Events.Delivered,
        HardBounce = counts.Events.HardBounce,
        SoftBounce = counts.Events.SoftBounce,
        Spam = counts.Events.Spam,
        Unsubscribed = counts.Events.Unsubscribed,
        Clicked = counts.Events.Clicked,
        ClickedUnique = counts.Events.ClickedUnique,
    };
}

/// <summary>What the grain itself needs of a contract.</summary>
internal static class CampaignSchedule
{
    public static DateTimeOffset? Of(string contract) => Read(contract).Schedule;

    public static (string? Name, long ProviderId) NameAndProvider(string contract)
    {
        var read = Read(contract);
        return (read.Name, read.ProviderId ?? 0);
    }

    private static CampaignContract Read(string contract) => JsonSerializer.Deserialize<CampaignContract>(contract, ApiJson.Options)!;
}
