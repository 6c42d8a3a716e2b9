using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>Reads F of the audience: the shape of the tree. Attribute terms are read by <see cref="AttributeTermReader"/>.</summary>
internal sealed class AudienceFilterReader(AudienceErrors errors)
{
    public const int DepthMax = 8;
    public const int TermsMax = 100;

    private static readonly string[] Kinds = ["attribute", "list", "and", "or", "not"];
    private static readonly string[] Members = [.. Kinds, "op", "value"];
    private readonly AttributeTermReader _attributes = new(errors);
    private int _terms;

    /// <summary>The condition, or null when something in it is wrong (the errors say what).</summary>
    public AudienceCondition? Read(JsonElement filter, string pointer) => Read(filter, pointer, depth: 1);

    private AudienceCondition? Read(JsonElement filter, string pointer, int depth)
    {
        if (depth > DepthMax)
        {
            return Refuse(pointer, $"A filter is at most {DepthMax} deep.");
        }

        if (filter.ValueKind != JsonValueKind.Object)
        {
            return Refuse(pointer, "Must be an object with one of attribute, list, and, or, not.");
        }

        var members = MembersOf(filter, pointer);
        var kinds = Kinds.Where(members.ContainsKey).ToList();
        if (kinds.Count != 1)
        {
            return Refuse(pointer, "Must have exactly one of attribute, list, and, or, not.");
        }

        if (kinds[0] != "attribute")
        {
            errors.AddIf(members.ContainsKey("op"), $"{pointer}/op", "Goes with attribute only.");
            errors.AddIf(members.ContainsKey("value"), $"{pointer}/value", "Goes with attribute only.");
        }

        return kinds[0] switch
        {
            "attribute" => Term(pointer) ? _attributes.Read(members, pointer) : null,
            "list" => Term(pointer) ? ReadList(members["list"], $"{pointer}/list") : null,
            "not" => Read(members["not"], $"{pointer}/not", depth + 1) is { } condition ? new AudienceCondition.Not(condition) : null,
            "and" => ReadMany(members["and"], $"{pointer}/and", depth) is { } conditions ? new AudienceCondition.And(conditions) : null,
            _ => ReadMany(members["or"], $"{pointer}/or", depth) is { } conditions ? new AudienceCondition.Or(conditions) : null,
        };
    }

    private List<AudienceCondition>? ReadMany(JsonElement filters, string pointer, int depth)
    {
        if (filters.ValueKind != JsonValueKind.Array || filters.GetArrayLength() == 0)
        {
            Refuse(pointer, "Must be an array with at least one filter.");
            return null;
        }

        var conditions = new List<AudienceCondition>();
        foreach (var (index, filter) in filters.EnumerateArray().Index())
        {
            // Past the bound one error is enough: a long array must not be read to its end.
            if (errors.Full || _terms > TermsMax)
            {
                break;
            }

            if (Read(filter, $"{pointer}/{index}", depth + 1) is { } condition)
            {
                conditions.Add(condition);
            }
        }

        return conditions;
    }

    private AudienceCondition.InList? ReadList(JsonElement name, string pointer)
    {
        if (!JsonText.TryRead(name, out var text))
        {
            errors.Add(pointer, "Must be the name of a list.");
            return null;
        }

        errors.CheckName(pointer, text);
        return new AudienceCondition.InList(text);
    }

    private bool Term(string pointer)
    {
        if (++_terms == TermsMax + 1)
        {
            errors.Add(pointer, $"A filter has at most {TermsMax} attribute and list terms.");
        }

        return _terms <= TermsMax;
    }

    private Dictionary<string, JsonElement> MembersOf(JsonElement filter, string pointer)
    {
        var members = new Dictionary<string, JsonElement>();
        foreach (var member in filter.EnumerateObject())
        {
            if (errors.Full)
            {
                break;
            }

            if (!JsonText.TryName(member, out var name))
            {
                errors.Add(pointer, "A member's name holds half a surrogate pair.");
            }
            else if (!Members.Contains(name))
            {
                errors.AddUnknown($"{pointer}/{JsonText.Escape(name)}", "member", name, Members);
            }
            else if (!members.TryAdd(name, member.Value))
            {
                errors.Add($"{pointer}/{name}", "Stands twice.");
            }
        }

        return members;
    }

    private AudienceCondition? Refuse(string pointer, string message)
    {
        errors.Add(pointer, message);
        return null;
    }
}
