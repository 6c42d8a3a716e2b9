namespace GenericHttpEsp.Recipients;

/// <summary>Whether mail may go to a person at all.</summary>
[GenerateSerializer, Alias("recipient.status")]
public enum SubscriptionStatus
{
    /// <summary>Also of everyone nothing is stored about.</summary>
    Subscribed,

    /// <summary>No mail at all.</summary>
    Unsubscribed,
}

/// <summary>Why mail is forbidden, weakest first: of several the strongest is shown.</summary>
[GenerateSerializer, Alias("recipient.cause")]
public enum ForbidCause
{
    /// <summary>Somebody with an API key said so.</summary>
    ByHand,

    /// <summary>The mailbox does not exist.</summary>
    HardBounce,

    /// <summary>The person asked for it, by a link or through the ESP.</summary>
    Unsubscribed,

    /// <summary>The person called a message spam.</summary>
    Spam,
}

/// <summary>An event that forbids sending. Repeating it changes nothing.</summary>
/// <param name="Cause">What happened; never <see cref="ForbidCause.ByHand"/>.</param>
/// <param name="MessageKey">The message it is about; with the cause it names the event, so that a copy is known again.</param>
/// <param name="TimestampSeconds">When, in Unix seconds, if the sender said so. 0 or null: not known.</param>
[GenerateSerializer, Immutable, Alias("recipient.forbid")]
public sealed record ForbidCommand(
    [property: Id(0)] ForbidCause Cause,
    [property: Id(1)] string MessageKey,
    [property: Id(2)] long? TimestampSeconds);

/// <summary>A subscription at one moment.</summary>
/// <param name="Status">Whether mail may go.</param>
/// <param name="Reason"><c>spam</c>, <c>unsubscribed</c>, <c>hard_bounce</c>, or what was written by hand.</param>
/// <param name="Since">Since when; null when nothing ever happened.</param>
[GenerateSerializer, Immutable, Alias("recipient.subscription")]
public sealed record SubscriptionSnapshot(
    [property: Id(0)] SubscriptionStatus Status,
    [property: Id(1)] string? Reason,
    [property: Id(2)] DateTimeOffset? Since)
{
    /// <summary>Of someone nothing is stored about.</summary>
    public static SubscriptionSnapshot Unknown { get; } = new(SubscriptionStatus.Subscribed, null, null);
}
