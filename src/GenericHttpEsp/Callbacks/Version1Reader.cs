using System.Text.Json;
using GenericHttpEsp.Stats;

namespace GenericHttpEsp.Callbacks;

/// <summary>
/// The older body: an array of <c>{"event": "softbounce" | "hardbounce" | "unsubscribe", "data": [{"e": address, "ts": epoch}]}</c>. Its events name an
/// address and no message, so they can be counted for no campaign; they are like events whose meta nobody signed, see <see cref="CallbackRules"/>.
/// </summary>
internal static class Version1Reader
{
    private static readonly Dictionary<string, EventType> Types = new()
    {
        ["softbounce"] = EventType.SoftBounce,
        ["hardbounce"] = EventType.HardBounce,
        ["unsubscribe"] = EventType.Unsubscribed,
    };

    public static List<CallbackEvent> Read(ref Utf8JsonReader reader)
    {
        var events = new List<CallbackEvent>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("an element of the version 1 array is not an object");
            }

            ReadElement(ref reader, events);
        }

        return events;
    }

    private static void ReadElement(ref Utf8JsonReader reader, List<CallbackEvent> events)
    {
        var names = new MemberNames();
        string? kind = null;
        var data = new List<(string? Email, long At, string? Error)>();
        while (names.Next(ref reader) is { } name)
        {
            if (name == "event" && reader.TokenType == JsonTokenType.String)
            {
                kind = JsonTexts.Read(ref reader);
            }
            else if (name == "data" && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    data.Add(ReadDatum(ref reader));
                    CallbackReader.RefuseTooMany(events.Count + data.Count);
                }
            }
            else
            {
                JsonTexts.Skip(ref reader);
            }
        }

        var type = kind is not null && Types.TryGetValue(kind, out var found) ? EventTypes.Name(found) : null;
        var unknown = type is null ? "event is not one of softbounce, hardbounce, unsubscribe" : null;
        foreach (var (index, (email, at, error)) in data.Index())
        {
            var lacks = kind is null || email is null;
            events.Add(new CallbackEvent(index, kind ?? "", type, email, null, null, at, lacks, error ?? unknown) { IsVersion1 = true });
        }
    }

    private static (string? Email, long At, string? Error) ReadDatum(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            JsonTexts.Skip(ref reader);
            return (null, 0, "the datum is not an object");
        }

        var names = new MemberNames();
        var email = default(CallbackEventReader.Text);
        (long At, string? Error) time = (0, null);
        while (names.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case "e":
                    email = CallbackEventReader.Text.Read(ref reader);
                    break;
                case "ts":
                    time = CallbackEventReader.ReadTime(ref reader);
                    break;
                default:
                    JsonTexts.Skip(ref reader);
                    break;
            }
        }

        return (email.Value, time.At, email.Problem("e", required: true) ?? time.Error);
    }
}
