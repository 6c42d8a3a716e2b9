using System.Text.Json;

namespace GenericHttpEsp.Callbacks;

/// <summary>The members of one object, each name at most once.</summary>
internal struct MemberNames
{
    // Above this a set is faster than comparing with each.
    private const int CompareMax = 12;
    private List<string>? _few;
    private HashSet<string>? _many;

    /// <summary>Moves to the value of the next member; null at the object's end.</summary>
    /// <exception cref="JsonException">The name was there before, or is no text.</exception>
    public string? Next(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        var name = JsonTexts.Read(ref reader) ?? throw new JsonException("a member's name is not Unicode");
        if (!Add(name))
        {
            throw new JsonException("a key is there twice in one object");
        }

        reader.Read();
        return name;
    }

    private bool Add(string name)
    {
        if (_many is not null)
        {
            return _many.Add(name);
        }

        _few ??= [];
        if (_few.Contains(name))
        {
            return false;
        }

        _few.Add(name);
        _many = _few.Count > CompareMax ? [.. _few] : null;
        return true;
    }
}

/// <summary>Values that nobody needs, and strings that may be no text.</summary>
internal static class JsonTexts
{
    /// <summary>Null when the string holds a lone surrogate: for that there is no UTF-8, so it could be neither compared nor stored.</summary>
    public static string? Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Passes over the value the reader stands on; its objects have no key twice either.</summary>
    public static void Skip(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        // The reader bounds the depth.
        var open = new Stack<MemberNames>();
        open.Push(default);
        var isObject = new Stack<bool>();
        isObject.Push(reader.TokenType == JsonTokenType.StartObject);
        while (open.Count > 0)
        {
            if (isObject.Peek())
            {
                var names = open.Pop();
                var more = names.Next(ref reader) is not null;
                open.Push(names);
                if (!more)
                {
                    (_, _) = (open.Pop(), isObject.Pop());
                    continue;
                }
            }
            else if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray)
            {
                (_, _) = (open.Pop(), isObject.Pop());
                continue;
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                open.Push(default);
                isObject.Push(reader.TokenType == JsonTokenType.StartObject);
            }
        }
    }
}
