using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>Where one person of a campaign is.</summary>
/// <param name="Email">As known now; null when erased.</param>
/// <param name="Outcome">accepted, refused, failed, skipped, unknown or toCome; removed when the run's batches are older than retention.</param>
/// <param name="Reason">Why skipped; for refused, failed and unknown what the ESP said to their batch.</param>
/// <param name="BatchId">Null while no batch holds them.</param>
/// <param name="Attempts">Requests made for them.</param>
public sealed record RecordAnswer(long RecipientId, string? Email, int Run, string Outcome, string? Reason, long? BatchId, int Attempts);

/// <summary>What went wrong in a campaign, by reason.</summary>
/// <param name="Groups">The most frequent first, within each outcome.</param>
public sealed record CampaignErrors(IReadOnlyList<ErrorGroup> Groups);

/// <summary>People with the same reason.</summary>
/// <param name="Outcome">refused, failed, unknown, skipped, hardBounce or softBounce.</param>
/// <param name="Reason">What the ESP said, the skip's reason, or the bounce's description; <c>other</c> for what is beyond the most frequent ones, <c>older than retention</c>.</param>
/// <param name="Samples">Some of them.</param>
public sealed record ErrorGroup(string Outcome, string Reason, long Count, IReadOnlyList<ErrorSample> Samples);

/// <param name="Email">Null when erased.</param>
public sealed record ErrorSample(long RecipientId, string? Email);

/// <summary>The contract's words for outcomes.</summary>
internal static class RecordWords
{
    public static readonly IReadOnlyDictionary<string, RecordOutcome[]> Filters = new Dictionary<string, RecordOutcome[]>
    {
        ["accepted"] = [RecordOutcome.Accepted],
        ["refused"] = [RecordOutcome.Refused],
        ["failed"] = [RecordOutcome.Failed],
        ["unknown"] = [RecordOutcome.Unknown],
        ["toCome"] = [RecordOutcome.ToCome],
        ["skipped"] =
        [
            RecordOutcome.SkippedUnsubscribed, RecordOutcome.SkippedGroup, RecordOutcome.SkippedErased, RecordOutcome.SkippedRender,
            RecordOutcome.SkippedBadAddress, RecordOutcome.SkippedTooLate, RecordOutcome.SkippedStopped,
        ],
    };

    public static string Of(RecordOutcome outcome) => Filters.First(filter => filter.Value.Contains(outcome)).Key;

    public static string Of(RecordPlace place) => place.IsRemoved ? RemovedRuns.Word : Of(place.Outcome);

    public static string? SkipReason(RecordOutcome outcome) =>
        Array.Find(CampaignStatsRules.SkipReasons, skip => skip.Outcome == outcome).Name;

    /// <summary>The answer of a batch that was accepted says nothing about anybody.</summary>
    public static string? Reason(RecordPlace place) =>
        place.IsRemoved ? RemovedRuns.Reason : SkipReason(place.Outcome) ?? (place.Outcome is RecordOutcome.Refused or RecordOutcome.Failed or RecordOutcome.Unknown ? place.Answer : null);
}
