using System.Text;
using System.Text.Json.Nodes;

namespace GenericHttpEsp.Tests.Api;

/// <summary>A body that must not be taken, or that may be taken and must do no harm.</summary>
/// <param name="Pointer">Where <c>errors</c> has to point, or around or below it; null for any place.</param>
/// <param name="MayPass">Other JSON is allowed there: a success is right too.</param>
/// <param name="Says">What the error has to say.</param>
internal sealed record HostileCase(string Name, byte[] Body, int[] Statuses, string? Pointer = null, bool MayPass = false, string? Says = null);

/// <summary>Makes the hostile bodies of a JSON route from the sample of its good one.</summary>
internal static class HostileCases
{
    private const string Marker = "@@mark@@";
    private static readonly int[] Unreadable = [400];
    private static readonly int[] Invalid = [422];
    private static readonly int[] Refused = [400, 413, 422];

    /// <summary>What must be refused, whatever the route.</summary>
    public static IEnumerable<HostileCase> Broken(string sample)
    {
        yield return Text("empty", "");
        yield return Text("white space", " \r\n\t");
        yield return Text("half", sample[..(sample.Length / 2)]);
        yield return Text("two documents", sample + sample);
        yield return Text("comment", "/* */" + sample);
        yield return Text("trailing comma", sample.TrimEnd()[..^1] + ",}");
        yield return Text("not a number", """{"a": NaN}""");
        yield return Text("HTML", "<html><body>no</body></html>");
        yield return Long("100,000 arrays", new string('[', 100_000));
        yield return Long("100,000 objects", string.Concat(Enumerable.Repeat("""{"a":""", 100_000)));
        yield return Long("100,000 arrays as a member", sample.TrimEnd()[..^1] + ", \"deep\": " + new string('[', 100_000));
        yield return new("invalid UTF-8", [.. Encoding.UTF8.GetBytes(sample.TrimEnd()[..^2]), 0xC3, 0x28, .. "\"}"u8], Unreadable);
        yield return new("surrogate in UTF-8", [.. "{\""u8, 0xED, 0xA0, 0x80, .. "\": 1}"u8], Unreadable);
        yield return new("UTF-16", Encoding.Unicode.GetBytes(sample), Unreadable);
        yield return new("zero bytes", new byte[1000], Unreadable);
        foreach (var other in (string[])["null", "true", "7", "\"text\"", "[]", "[{}]"])
        {
            yield return new($"{other} instead of an object", Encoding.UTF8.GetBytes(other), [400, 422]);
        }
    }

    public static IEnumerable<HostileCase> Made(HostileRoute route, string sample)
    {
        var root = JsonNode.Parse(sample)!;
        foreach (var pointer in JsonPlaces.All(root))
        {
            var node = JsonPlaces.At(root, pointer);
            var cases = node switch
            {
                JsonObject members => OfObject(route, root, pointer, members),
                JsonValue value => OfValue(route, root, pointer, value),
                _ => [],
            };
            foreach (var one in cases.Concat(pointer.Length == 0 ? [] : OtherTypes(route, root, pointer, node)))
            {
                yield return one;
            }
        }
    }

    private static IEnumerable<HostileCase> OfObject(HostileRoute route, JsonNode root, string pointer, JsonObject members)
    {
        if (members.FirstOrDefault().Key is { } first)
        {
            yield return new($"member twice in \"{pointer}\"", Marked(root, $"{pointer}/{Marker}", Quoted(Marker), Quoted(first)), Unreadable);
        }

        yield return new($"lone surrogate in a name in \"{pointer}\"", Marked(root, $"{pointer}/{Marker}", Marker, "a\\ud800"), Unreadable);
        yield return new($"NUL in a name in \"{pointer}\"", Marked(root, $"{pointer}/{Marker}", Marker, "a\\u0000"), Refused);
        if (!route.IsFree(pointer))
        {
            yield return new($"unknown member in \"{pointer}\"", Changed(root, $"{pointer}/zebra", 1), Invalid, $"{pointer}/zebra");
        }

        if (pointer.Length == 0)
        {
            var name = members.Last().Key;
            yield return new("misspelt member", Changed(root, $"/{name}x", 1), Invalid, $"/{name}x", Says: $"did you mean \\\"{name}\\\"");
        }
    }

    private static IEnumerable<HostileCase> OfValue(HostileRoute route, JsonNode root, string pointer, JsonValue value)
    {
        switch (value.GetValueKind())
        {
            case System.Text.Json.JsonValueKind.String:
                yield return new($"lone surrogate at {pointer}", Marked(root, pointer, Marker, "a\\udc00b"), Unreadable);
                yield return new($"NUL at {pointer}", Changed(root, pointer, "a\0b"), [400, 422], pointer);
                yield return new($"300,000 characters at {pointer}", Changed(root, pointer, new string('x', 300_000)), Refused, pointer, route.IsFree(pointer));
                break;
            case System.Text.Json.JsonValueKind.Number:
                foreach (var number in (string[])["-1", "0", "9007199254740993", "9223372036854775808", "1e308", "1e400", "1e200000", "1e-20000", "0.1e-16384"])
                {
                    yield return new($"{number} at {pointer}", Marked(root, pointer, Quoted(Marker), number), Refused, pointer, MayPass: true);
                }

                break;
        }
    }

    private static IEnumerable<HostileCase> OtherTypes(HostileRoute route, JsonNode root, string pointer, JsonNode? node)
    {
        var kind = Kind(node);
        foreach (var other in (string[])["null", "true", "7.5", "\"text\"", "[]", "{}"])
        {
            if (Kind(JsonNode.Parse(other)) != kind)
            {
                yield return new($"{other} at {pointer}", Changed(root, pointer, JsonNode.Parse(other)), Invalid, pointer, other == "null" || route.IsFree(pointer));
            }
        }
    }

    private static string Kind(JsonNode? node) => node?.GetValueKind() switch
    {
        null => "Null",
        System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "Boolean",
        { } kind => kind.ToString(),
    };

    private static HostileCase Text(string name, string body) => new(name, Encoding.UTF8.GetBytes(body), Unreadable);

    /// <summary>Some routes take less than that.</summary>
    private static HostileCase Long(string name, string body) => new(name, Encoding.UTF8.GetBytes(body), [400, 413]);

    private static string Quoted(string text) => $"\"{text}\"";

    private static byte[] Changed(JsonNode root, string pointer, JsonNode? value) => Encoding.UTF8.GetBytes(JsonPlaces.With(root, pointer, value).ToJsonString());

    /// <summary>What no JSON library would write: the marker is set, written, and replaced in the text.</summary>
    private static byte[] Marked(JsonNode root, string pointer, string written, string replacement) =>
        Encoding.UTF8.GetBytes(JsonPlaces.With(root, pointer, Marker).ToJsonString().Replace(written, replacement, StringComparison.Ordinal));
}
