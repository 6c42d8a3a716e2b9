namespace GenericHttpEsp.Callbacks;

/// <summary>A callback body as it came: nothing in it is believed yet.</summary>
internal sealed record CallbackBody(IReadOnlyList<CallbackEvent> Events);

/// <summary>One event as it came.</summary>
/// <param name="Index">0-based, within its group.</param>
/// <param name="Meta">Null in version 1, which has none.</param>
/// <param name="Timestamp">Unix seconds; 0 when the sender did not say.</param>
/// <param name="LacksKey">A required key is not there: when that is so of every event, the body is refused.</param>
/// <param name="Error">Why it cannot be read; null when it can.</param>
internal sealed record CallbackEvent(
    int Index, string Group, string? Type, string? Email, string? Meta, string? Description, long Timestamp, bool LacksKey, string? Error)
{
    /// <summary>From the older body: tied to no message, so there is nothing that it could be counted for.</summary>
    public bool IsVersion1 { get; init; }
}
