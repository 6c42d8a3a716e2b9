using System.Text.Json.Serialization;

namespace GenericHttpEsp.Callbacks;

/// <summary>Answer of <c>POST /callbacks/{token}</c>, in the specification's words.</summary>
/// <param name="TotalEvents">Events of the body.</param>
/// <param name="ProcessedEvents">Those that are durable; copies of known ones too.</param>
/// <param name="UnprocessedEvents">The others.</param>
public sealed record CallbackAnswer(
    [property: JsonPropertyName("TOTAL_EVENTS")] int TotalEvents,
    [property: JsonPropertyName("PROCESSED_EVENTS")] int ProcessedEvents,
    [property: JsonPropertyName("UNPROCESSED_EVENTS")] IReadOnlyList<UnprocessedEvent> UnprocessedEvents);

/// <summary>An event that was not processed.</summary>
/// <param name="Index">0-based, within its group.</param>
/// <param name="Group">As it came.</param>
/// <param name="Type">As it came, if it was a string.</param>
/// <param name="Email">As it came.</param>
/// <param name="Meta">As it came.</param>
/// <param name="Error">Why; begins with <c>quarantined:</c> when it is kept until a person decides.</param>
public sealed record UnprocessedEvent(int Index, string Group, string? Type, string? Email, string? Meta, string Error)
{
    private const int EchoCharactersMax = 512;

    internal static UnprocessedEvent Of(CallbackEvent source, string error) =>
        new(source.Index, Echo(source.Group)!, Echo(source.Type), Echo(source.Email), Echo(source.Meta), error);

    private static string? Echo(string? text) => text is { Length: > EchoCharactersMax } ? text[..EchoCharactersMax] : text;
}
