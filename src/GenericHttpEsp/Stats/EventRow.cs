namespace GenericHttpEsp.Stats;

/// <summary>A message: one run's mail to one recipient.</summary>
internal readonly record struct MessageId(long RunDate, long Campaign, int Run, long Recipient) : IComparable<MessageId>
{
    public int CompareTo(MessageId other) =>
        (RunDate, Campaign, Run, Recipient).CompareTo((other.RunDate, other.Campaign, other.Run, other.Recipient));
}

/// <summary>The identity of an event: equal ones are one event. In the order of the table's key.</summary>
internal readonly record struct EventKey(MessageId Message, EventType Type, long Moment, long Discriminator) : IComparable<EventKey>
{
    public int CompareTo(EventKey other) =>
        (Message, (int)Type, Moment, Discriminator).CompareTo((other.Message, (int)other.Type, other.Moment, other.Discriminator));
}

/// <summary>An event to be recorded.</summary>
/// <param name="OccurredAt">Unix seconds; 0 when the ESP did not say.</param>
/// <param name="Signed">Its meta had our MAC: proof that the ESP got the message from us.</param>
/// <param name="ProviderId">Whose callback told it; only for the first row of a run nobody opened here.</param>
internal sealed record EventRow(EventKey Key, long OccurredAt, EventText Text, bool Signed, long ProviderId)
{
    public static EventRow Of(MessageId message, EventType type, long occurredAt, EventText text, bool signed, long providerId) => new(
        EventTypes.Repeats(type) ? new EventKey(message, type, occurredAt, text.Hash) : new EventKey(message, type, 0, 0),
        occurredAt,
        text,
        signed,
        providerId);

    /// <summary>Of two copies that differ the earlier stands, whichever came first; of copies of one time the one with the smaller hash.</summary>
    public static EventRow Merge(EventRow one, EventRow other)
    {
        var first = Rank(one).CompareTo(Rank(other)) <= 0 ? one : other;
        return first with { Signed = one.Signed || other.Signed };
    }

    private static (long At, long Hash) Rank(EventRow row) => (row.OccurredAt == 0 ? long.MaxValue : row.OccurredAt, row.Text.Hash);
}
