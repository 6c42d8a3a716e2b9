namespace GenericHttpEsp.Recipients;

/// <summary>How a subscription changes. Pure; every transition is idempotent, and events have the same result in any order.</summary>
internal static class SubscriptionRules
{
    /// <summary>Events remembered for a recipient. A copy of a forgotten one forbids again: the safe direction.</summary>
    public const int AppliedMax = 64;
    public const int ReasonMax = 200;
    public const string ByHand = "by_hand";

    // The end of the year 9999: what a DateTimeOffset can say.
    private const long TimestampSecondsMax = 253_402_300_799;

    // Stands among the applied keys: the moment a person came back. Causes and messages make keys with a colon, so none collides.
    private const string CameBack = "came_back";

    // Events have whole seconds: this millisecond says that the person came back after it was applied.
    private const long Forgiven = 1;

    /// <summary>An act of a person with an API key. To subscribe ends what events before it forbade.</summary>
    public static void SetByHand(SubscriptionState state, SubscriptionStatus status, string? reason, long nowMilliseconds)
    {
        if (status == SubscriptionStatus.Unsubscribed)
        {
            Forbid(state, string.IsNullOrWhiteSpace(reason) ? ByHand : reason, nowMilliseconds);
        }
        else if (state.Status != SubscriptionStatus.Subscribed)
        {
            (state.Status, state.Reason, state.Since) = (SubscriptionStatus.Subscribed, reason, nowMilliseconds);
            foreach (var key in state.Applied.Keys)
            {
                state.Applied[key] = state.Applied[key] / 1000 * 1000 + Forgiven;
            }

            state.Applied[CameBack] = nowMilliseconds;
        }
    }

    /// <summary>An event. Not newer than a copy applied before (same message, same cause): nothing changes.</summary>
    public static void Forbid(SubscriptionState state, ForbidCommand command, long nowMilliseconds)
    {
        var key = $"{ReasonOf(command.Cause)}:{command.MessageKey}";
        var at = Math.Clamp(command.TimestampSeconds ?? 0, 0, TimestampSecondsMax) * 1000;
        if (state.Applied.TryGetValue(key, out var applied) && at <= applied)
        {
            // An older copy of an event that counts now: the earliest is since when, whichever came first.
            if (at > 0 && applied % 1000 != Forgiven && state.Status == SubscriptionStatus.Unsubscribed)
            {
                state.Since = Math.Min(state.Since ?? at, Math.Max(at, state.Applied.GetValueOrDefault(CameBack)));
            }

            return;
        }

        Forbid(state, ReasonOf(command.Cause), at == 0 || at > nowMilliseconds ? nowMilliseconds : at);
        state.Applied[key] = at;
        if (state.Applied.Count > AppliedMax)
        {
            state.Applied.Remove(state.Applied.Where(static pair => pair.Key != CameBack).MinBy(static pair => (pair.Value, pair.Key)).Key);
        }
    }

    /// <summary>What stays of an erased person: nothing, or that no mail may go. A reason written by hand may name them.</summary>
    /// <returns>Whether anything stays.</returns>
    public static bool Erase(SubscriptionState state)
    {
        if (state.Status == SubscriptionStatus.Unsubscribed && Strength(state.Reason) == ForbidCause.ByHand)
        {
            state.Reason = ByHand;
        }

        return state.Status == SubscriptionStatus.Unsubscribed;
    }

    public static SubscriptionSnapshot Snapshot(SubscriptionState state) =>
        new(state.Status, state.Reason, state.Since is { } since ? DateTimeOffset.FromUnixTimeMilliseconds(since) : null);

    public static string ReasonOf(ForbidCause cause) => cause switch
    {
        ForbidCause.Spam => "spam",
        ForbidCause.Unsubscribed => "unsubscribed",
        ForbidCause.HardBounce => "hard_bounce",
        _ => ByHand,
    };

    private static void Forbid(SubscriptionState state, string reason, long at)
    {
        at = Math.Max(at, state.Applied.GetValueOrDefault(CameBack));
        if (state.Status == SubscriptionStatus.Subscribed)
        {
            (state.Status, state.Reason, state.Since) = (SubscriptionStatus.Unsubscribed, reason, at);
            return;
        }

        var words = Strength(reason) == Strength(state.Reason) && reason != ByHand;
        state.Reason = words || Strength(reason) > Strength(state.Reason) ? reason : state.Reason;
        state.Since = Math.Min(state.Since ?? at, at);
    }

    // Whoever moves a suppression list here by hand writes the same words and means the same.
    private static ForbidCause Strength(string? reason) => reason switch
    {
        "spam" => ForbidCause.Spam,
        "unsubscribed" => ForbidCause.Unsubscribed,
        "hard_bounce" => ForbidCause.HardBounce,
        _ => ForbidCause.ByHand,
    };
}
