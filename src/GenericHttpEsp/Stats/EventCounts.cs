namespace GenericHttpEsp.Stats;

/// <summary>How often each thing happened; clickedUnique counts messages.</summary>
internal sealed record EventCounts(
    long Delivered, long HardBounce, long SoftBounce, long Spam, long Unsubscribed, long Clicked, long ClickedUnique)
{
    public static EventCounts None { get; } = new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>Columns of <c>run_events</c> in the order of the members.</summary>
    public static readonly string[] Columns = ["delivered", "hard_bounce", "soft_bounce", "spam", "unsubscribed", "clicked", "clicked_unique"];

    public static EventCounts Of(IEnumerable<EventType> types)
    {
        var by = new long[(int)EventType.FirstClick + 1];
        foreach (var type in types)
        {
            by[(int)type]++;
        }

        return new EventCounts(
            by[(int)EventType.Delivered], by[(int)EventType.HardBounce], by[(int)EventType.SoftBounce], by[(int)EventType.Spam],
            by[(int)EventType.Unsubscribed], by[(int)EventType.Clicked], by[(int)EventType.FirstClick]);
    }

    public static EventCounts operator +(EventCounts one, EventCounts other) => new(
        one.Delivered + other.Delivered, one.HardBounce + other.HardBounce, one.SoftBounce + other.SoftBounce, one.Spam + other.Spam,
        one.Unsubscribed + other.Unsubscribed, one.Clicked + other.Clicked, one.ClickedUnique + other.ClickedUnique);

    public long[] Values() => [Delivered, HardBounce, SoftBounce, Spam, Unsubscribed, Clicked, ClickedUnique];
}
