using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace GenericHttpEsp.Api;

/// <summary>From a JSON document to a contract, or to all of its errors.</summary>
internal static class BodyReader
{
    /// <summary>What the strict reading refuses has been found before; this one reads what is left, so that its rules are checked too.</summary>
    private static readonly JsonSerializerOptions Lenient = new(ApiJson.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
        RespectNullableAnnotations = false,
    };

    public static (T? Value, IResult? Problem) Read<T>(JsonElement body)
        where T : class
    {
        var errors = new BodyErrors();
        if (BodyText.FindUnreadable(body, "") is { } unreadable)
        {
            return (null, Problems.Unreadable(unreadable));
        }

        BodyText.RefuseUnstorable(body, "", errors);
        BodyShape.Check(body, ApiJson.Options.GetTypeInfo(typeof(T)), "", errors);
        var value = errors.IsEmpty ? body.Deserialize<T>(ApiJson.Options) : Partial<T>(body, errors);
        if (value is not null)
        {
            BodyRules.Check(value, ApiJson.Options, "", errors);
        }

        return errors.IsEmpty ? (value, null) : (null, Problems.Invalid(errors.ByPointer));
    }

    /// <summary>The body without its wrong members, or null when nothing can be made of the rest.</summary>
    private static T? Partial<T>(JsonElement body, BodyErrors errors)
        where T : class
    {
        var rest = JsonNode.Parse(body.GetRawText());
        if (rest is not JsonObject || errors.Contains(""))
        {
            return null;
        }

        foreach (var pointer in errors.ByPointer.Keys.ToList())
        {
            Remove(rest, pointer);
        }

        try
        {
            return rest.Deserialize<T>(Lenient);
        }
        catch (Exception incomplete) when (incomplete is JsonException or ArgumentException or NotSupportedException)
        {
            // The errors already found are the answer.
            return null;
        }
    }

    private static void Remove(JsonNode? node, string pointer)
    {
        var names = pointer.Split('/')[1..];
        for (var i = 0; i < names.Length && node is not null; i++)
        {
            var name = JsonPointer.Unescape(names[i]);
            var isLast = i == names.Length - 1;
            if (node is JsonObject parent)
            {
                node = isLast && parent.Remove(name) ? null : parent[name];
            }
            else if (node is JsonArray array && int.TryParse(name, out var index) && index < array.Count)
            {
                // The others keep their index.
                node = isLast ? array[index] = null : array[index];
            }
            else
            {
                return;
            }
        }
    }
}

/// <summary>Errors by JSON pointer (RFC 6901), bounded.</summary>
internal sealed class BodyErrors
{
    private const int Max = 100;
    private readonly Dictionary<string, string[]> _errors = [];

    public bool IsEmpty => _errors.Count == 0;

    public IReadOnlyDictionary<string, string[]> ByPointer => _errors;

    public bool IsFull => _errors.Count >= Max;

    public bool Contains(string pointer) => _errors.ContainsKey(pointer);

    /// <summary>Is this place, or one around it, wrong already? Then what it holds is not what was sent.</summary>
    public bool Covers(string pointer) =>
        _errors.Keys.Any(wrong => pointer == wrong || pointer.StartsWith(wrong + "/", StringComparison.Ordinal));

    public void Add(string pointer, string message)
    {
        if (_errors.TryGetValue(pointer, out var messages))
        {
            _errors[pointer] = messages.Contains(message) ? messages : [.. messages, message];
        }
        else if (!IsFull)
        {
            _errors[pointer] = [message];
        }
    }
}

internal static class JsonPointer
{
    public static string Child(string pointer, string name) =>
        $"{pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    public static string Unescape(string name) => name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
