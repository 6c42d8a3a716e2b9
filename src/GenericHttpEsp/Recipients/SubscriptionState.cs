namespace GenericHttpEsp.Recipients;

/// <summary>The subscription of one recipient; never leaves its grain. Stored as the columns of table <c>subscriptions</c>.</summary>
[GenerateSerializer, Alias("recipient.state")]
internal sealed class SubscriptionState
{
    [Id(0)]
    public SubscriptionStatus Status { get; set; }

    [Id(1)]
    public string? Reason { get; set; }

    /// <summary>Unix milliseconds.</summary>
    [Id(2)]
    public long? Since { get; set; }

    /// <summary>Newest time applied (Unix milliseconds, 0 when the event had none) by <c>cause:message</c>; bounded, see <see cref="SubscriptionRules"/>.</summary>
    [Id(3)]
    public Dictionary<string, long> Applied { get; set; } = [];

    /// <summary>The columns as read or written last: a write that would change nothing only proves that they still stand.</summary>
    [Id(4)]
    public SubscriptionColumns? Stored { get; set; }
}

/// <summary>The row without key and version.</summary>
[GenerateSerializer, Immutable, Alias("recipient.columns")]
internal sealed record SubscriptionColumns(
    [property: Id(0)] string Status,
    [property: Id(1)] string? Reason,
    [property: Id(2)] long? Since,
    [property: Id(3)] bool Forbids,
    [property: Id(4)] string Applied);
