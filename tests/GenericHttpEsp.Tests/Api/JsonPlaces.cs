using System.Globalization;
using System.Text.Json.Nodes;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Tests.Api;

/// <summary>The places of a JSON document by their pointers.</summary>
internal static class JsonPlaces
{
    /// <summary>All of them, the root ("") first.</summary>
    public static IEnumerable<string> All(JsonNode? node, string pointer = "") => node switch
    {
        JsonObject members => members.SelectMany(member => All(member.Value, JsonPointer.Child(pointer, member.Key))).Prepend(pointer),
        JsonArray items => items.SelectMany((item, index) => All(item, $"{pointer}/{index}")).Prepend(pointer),
        _ => [pointer],
    };

    public static JsonNode? At(JsonNode? root, string pointer) =>
        pointer.Split('/')[1..].Aggregate(root, static (node, step) => node is JsonArray items ? items[Index(step)] : node![JsonPointer.Unescape(step)]);

    /// <summary>A copy with another value at one place; a member that is not there yet is added.</summary>
    public static JsonNode With(JsonNode root, string pointer, JsonNode? value)
    {
        var copy = root.DeepClone();
        var (parent, last) = (pointer[..pointer.LastIndexOf('/')], pointer[(pointer.LastIndexOf('/') + 1)..]);
        if (At(copy, parent) is JsonArray items)
        {
            items[Index(last)] = value;
        }
        else
        {
            At(copy, parent)![JsonPointer.Unescape(last)] = value;
        }

        return copy;
    }

    private static int Index(string step) => int.Parse(step, CultureInfo.InvariantCulture);
}
