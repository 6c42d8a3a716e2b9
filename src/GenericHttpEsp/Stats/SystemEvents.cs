namespace GenericHttpEsp.Stats;

/// <summary>The system events of the specification, derived from recorded ones.</summary>
internal static class SystemEvents
{
    public const string Failed = "Notification Failed";
    public const string Unsubscribed = "Channel Unsubscribed";
    public const string Clicked = "Notification Clicked";
    public const string Delivered = "Notification Delivered";

    /// <summary>
    /// The names, each with the property that the description becomes: Error of Notification Failed, Type of Channel Unsubscribed. Without a description
    /// the type's name stands there.
    /// </summary>
    public static IEnumerable<(string Name, string? Property)> Of(EventType type) => type switch
    {
        EventType.HardBounce => [(Failed, "Error"), (Unsubscribed, "Type")],
        EventType.SoftBounce => [(Failed, "Error")],
        EventType.Spam or EventType.Unsubscribed => [(Unsubscribed, "Type")],
        EventType.Clicked => [(Clicked, null)],
        EventType.Delivered => [(Delivered, null)],
        _ => [],
    };
}
