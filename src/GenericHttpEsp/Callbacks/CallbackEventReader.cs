using System.Text.Json;

namespace GenericHttpEsp.Callbacks;

/// <summary>Reads one event of version 2: <c>type</c>, <c>email</c>, <c>meta</c>, and optionally <c>description</c> and <c>timestamp</c>.</summary>
internal static class CallbackEventReader
{
    // The end of the year 9999. Milliseconds instead of seconds are far beyond it.
    private const long TimestampMax = 253_402_300_799;

    public static CallbackEvent Read(ref Utf8JsonReader reader, string group, int index)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            JsonTexts.Skip(ref reader);
            return new CallbackEvent(index, group, null, null, null, null, 0, LacksKey: true, "the event is not an object");
        }

        var names = new MemberNames();
        var (type, email, meta, description) = (default(Text), default(Text), default(Text), default(Text));
        (long Timestamp, string? Error) time = (0, null);
        while (names.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case "type":
                    type = Text.Read(ref reader);
                    break;
                case "email":
                    email = Text.Read(ref reader);
                    break;
                case "meta":
                    meta = Text.Read(ref reader);
                    break;
                case "description":
                    description = Text.Read(ref reader);
                    break;
                case "timestamp":
                    time = ReadTime(ref reader);
                    break;
                default:
                    JsonTexts.Skip(ref reader);
                    break;
            }
        }

        var error = type.Problem("type", required: true) ?? email.Problem("email", required: true) ?? meta.Problem("meta", required: true)
            ?? description.Problem("description", required: false) ?? time.Error;
        return new CallbackEvent(
            index, group, type.Value, email.Value, meta.Value, description.Value, time.Timestamp, type.IsAbsent || email.IsAbsent || meta.IsAbsent, error);
    }

    /// <summary>Unix seconds; parts of a second are dropped.</summary>
    public static (long Timestamp, string? Error) ReadTime(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return (0, null);
        }

        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds) && seconds is >= 0 and <= TimestampMax)
        {
            return (reader.TryGetInt64(out var whole) ? whole : (long)seconds, null);
        }

        JsonTexts.Skip(ref reader);
        return (0, "timestamp is not a number of epoch seconds");
    }

    /// <summary>A member that should be a string.</summary>
    public readonly record struct Text(string? Value, bool IsPresent, bool IsWrong)
    {
        public bool IsAbsent => !IsPresent;

        public static Text Read(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.Null)
            {
                return default;
            }

            if (reader.TokenType == JsonTokenType.String)
            {
                var value = JsonTexts.Read(ref reader);
                return new Text(value, IsPresent: true, IsWrong: value is null);
            }

            JsonTexts.Skip(ref reader);
            return new Text(null, IsPresent: true, IsWrong: true);
        }

        public string? Problem(string name, bool required) =>
            IsWrong ? $"{name} is not a string" : required && !IsPresent ? $"{name} is missing" : required && Value!.Length == 0 ? $"{name} is empty" : null;
    }
}
