using System.Text;
using System.Text.Json;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>What a filter means, said a second time in C#: straight over the JSON, sharing nothing with the code under test.</summary>
internal static class AudienceEvaluator
{
    public static bool Matches(JsonElement filter, JsonElement attributes, IReadOnlyCollection<string> lists)
    {
        var member = filter.EnumerateObject().First();
        return member.Name switch
        {
            "list" => lists.Contains(member.Value.GetString()!),
            "and" => member.Value.EnumerateArray().All(part => Matches(part, attributes, lists)),
            "or" => member.Value.EnumerateArray().Any(part => Matches(part, attributes, lists)),
            "not" => !Matches(member.Value, attributes, lists),
            _ => MatchesAttribute(filter, attributes),
        };
    }

    private static bool MatchesAttribute(JsonElement term, JsonElement attributes)
    {
        var op = term.GetProperty("op").GetString()!;
        var found = attributes.TryGetProperty(term.GetProperty("attribute").GetString()!, out var stored);
        var given = term.TryGetProperty("value", out var value);
        return op switch
        {
            "exists" => found == (!given || value.GetBoolean()),
            _ when !found => false,
            "in" => value.EnumerateArray().Any(one => Compare(stored, one) == 0),
            "eq" => Compare(stored, value) == 0,
            "ne" => Compare(stored, value) is not (0 or null),
            "lt" => Compare(stored, value) < 0,
            "le" => Compare(stored, value) <= 0,
            "gt" => Compare(stored, value) > 0,
            _ => Compare(stored, value) >= 0,
        };
    }

    /// <summary>Null when the types differ.</summary>
    private static int? Compare(JsonElement left, JsonElement right) => (left.ValueKind, right.ValueKind) switch
    {
        (JsonValueKind.String, JsonValueKind.String) => Encoding.UTF8.GetBytes(left.GetString()!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right.GetString()!)),
        (JsonValueKind.Number, JsonValueKind.Number) => left.GetDouble() == right.GetDouble() ? 0 : left.GetDouble() < right.GetDouble() ? -1 : 1,
        (JsonValueKind.True or JsonValueKind.False, JsonValueKind.True or JsonValueKind.False) => left.GetBoolean().CompareTo(right.GetBoolean()),
        (JsonValueKind.Null, JsonValueKind.Null) => 0,
        _ => null,
    };
}
