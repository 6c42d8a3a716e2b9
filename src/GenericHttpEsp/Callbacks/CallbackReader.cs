using System.Text.Json;
using System.Text.Unicode;

namespace GenericHttpEsp.Callbacks;

/// <summary>
/// Reads a callback body over its bytes, strictly: two parsers must not see two bodies, so duplicate keys, invalid UTF-8 and comments are refused. Unknown
/// keys are ignored. Whatever is wrong with a single event stands in that event.
/// </summary>
internal static class CallbackReader
{
    public const int EventsMax = 1000;
    private const int DepthMax = 32;
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <returns>Null when the body is refused as a whole; <paramref name="refusal"/> says why.</returns>
    public static CallbackBody? Read(ReadOnlySpan<byte> bytes, out string? refusal)
    {
        try
        {
            if (!Utf8.IsValid(bytes))
            {
                throw new JsonException("it is not UTF-8");
            }

            var reader = new Utf8JsonReader(
                bytes.StartsWith(ByteOrderMark) ? bytes[ByteOrderMark.Length..] : bytes, new JsonReaderOptions { MaxDepth = DepthMax });
            reader.Read();
            var events = reader.TokenType switch
            {
                JsonTokenType.StartObject => ReadRoot(ref reader),
                JsonTokenType.StartArray => Version1Reader.Read(ref reader),
                _ => throw new JsonException("it is neither an object nor the array of version 1"),
            };
            // Throws for anything behind the end.
            while (reader.Read())
            {
            }

            refusal = events.Count == 0 ? "The body has no events."
                : events.TrueForAll(static one => one.LacksKey) ? $"Every event lacks a required key (type, email, meta). The first: {events[0].Error}."
                : null;
            return refusal is null ? new CallbackBody(events) : null;
        }
        catch (JsonException unreadable)
        {
            refusal = $"The body is not a callback: {unreadable.Message}";
            return null;
        }
    }

    private static List<CallbackEvent> ReadRoot(ref Utf8JsonReader reader)
    {
        var names = new MemberNames();
        string? version = null;
        List<CallbackEvent>? events = null;
        while (names.Next(ref reader) is { } name)
        {
            if (name == "version")
            {
                version = reader.TokenType == JsonTokenType.String ? JsonTexts.Read(ref reader) : null;
                JsonTexts.Skip(ref reader);
            }
            else if (name == "events")
            {
                events = reader.TokenType == JsonTokenType.StartObject ? ReadGroups(ref reader) : throw new JsonException("\"events\" is not an object");
            }
            else
            {
                JsonTexts.Skip(ref reader);
            }
        }

        return version != "v2" ? throw new JsonException("\"version\" is not \"v2\"") : events ?? throw new JsonException("\"events\" is missing");
    }

    private static List<CallbackEvent> ReadGroups(ref Utf8JsonReader reader)
    {
        var names = new MemberNames();
        var events = new List<CallbackEvent>();
        while (names.Next(ref reader) is { } group)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("a member of \"events\" is not an array");
            }

            for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
            {
                events.Add(CallbackEventReader.Read(ref reader, group, index));
                RefuseTooMany(events.Count);
            }
        }

        return events;
    }

    public static void RefuseTooMany(int events)
    {
        if (events > EventsMax)
        {
            throw new JsonException($"more than {EventsMax} events received");
        }
    }
}
