namespace GenericHttpEsp.Stats;

/// <summary>What happened to a message. Values are stored and never change.</summary>
internal enum EventType
{
    Delivered = 1,
    HardBounce = 2,
    SoftBounce = 3,
    Spam = 4,
    Unsubscribed = 5,
    Clicked = 6,

    /// <summary>Not an event: the mark that a message was clicked at all, so that two clicks at once cannot both be the first.</summary>
    FirstClick = 7,
}

/// <summary>The specification's words for events.</summary>
internal static class EventTypes
{
    private static readonly (EventType Type, string Group, string Name)[] Words =
    [
        (EventType.Delivered, "success", "delivered"),
        (EventType.HardBounce, "failed", "hard_bounce"),
        (EventType.SoftBounce, "failed", "soft_bounce"),
        (EventType.Spam, "failed", "spam"),
        (EventType.Unsubscribed, "failed", "unsubscribed"),
        (EventType.Clicked, "clicked", "clicked"),
    ];

    public static IEnumerable<string> Names => Words.Select(static word => word.Name);

    public static IEnumerable<string> Groups => Words.Select(static word => word.Group).Distinct();

    public static string Name(EventType type) => Array.Find(Words, word => word.Type == type).Name ?? "first_click";

    public static string Group(EventType type) => Array.Find(Words, word => word.Type == type).Group;

    /// <summary>Null when there is no such type. Case counts.</summary>
    public static EventType? Find(string name) => Array.Find(Words, word => word.Name == name) is { Group: not null } found ? found.Type : null;

    /// <summary>Can happen to one message many times, each with its time and words.</summary>
    public static bool Repeats(EventType type) => type is EventType.SoftBounce or EventType.Clicked;
}
