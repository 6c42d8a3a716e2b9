using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>Reads <c>{"attribute", "op", "value"}</c>: which operator takes which types.</summary>
internal sealed class AttributeTermReader(AudienceErrors errors)
{
    public const int ValuesMax = 1000;
    public const int TextLengthMax = 4096;

    private static readonly string[] Operators = ["eq", "ne", "lt", "le", "gt", "ge", "in", "exists"];

    public AudienceCondition? Read(Dictionary<string, JsonElement> members, string pointer)
    {
        var attribute = ReadName(members["attribute"], $"{pointer}/attribute");
        if (!members.TryGetValue("op", out var given))
        {
            errors.Add($"{pointer}/op", $"Is missing; known are {string.Join(", ", Operators)}.");
            return null;
        }

        if (!JsonText.TryRead(given, out var op) || !Operators.Contains(op))
        {
            errors.AddUnknown($"{pointer}/op", "operator", op ?? "", Operators);
            return null;
        }

        var value = members.TryGetValue("value", out var element) ? element : (JsonElement?)null;
        if (op == "exists")
        {
            return ReadExists(attribute, value, $"{pointer}/value");
        }

        if (value is null)
        {
            errors.Add($"{pointer}/value", $"Is missing; {op} needs one.");
            return null;
        }

        return op == "in"
            ? ReadIn(attribute, value.Value, $"{pointer}/value")
            : ReadOne(attribute, Enum.Parse<Comparison>(op, ignoreCase: true), value.Value, $"{pointer}/value");
    }

    private string ReadName(JsonElement attribute, string pointer)
    {
        if (!JsonText.TryRead(attribute, out var name))
        {
            errors.Add(pointer, "Must be the name of an attribute.");
            return "";
        }

        errors.CheckName(pointer, name);
        return name;
    }

    private AudienceCondition? ReadExists(string attribute, JsonElement? value, string pointer)
    {
        AudienceCondition exists = new AudienceCondition.Exists(attribute);
        switch (value?.ValueKind)
        {
            case null or JsonValueKind.True:
                return exists;
            case JsonValueKind.False:
                return new AudienceCondition.Not(exists);
            default:
                errors.Add(pointer, "exists takes true, false or no value.");
                return null;
        }
    }

    private AudienceCondition? ReadOne(string attribute, Comparison comparison, JsonElement value, string pointer)
    {
        var equality = comparison is Comparison.Eq or Comparison.Ne;
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return new AudienceCondition.Text(attribute, comparison, [ReadText(value, pointer)]);
            case JsonValueKind.Number:
                return new AudienceCondition.Number(attribute, comparison, [ReadNumber(value, pointer)]);
            case JsonValueKind.True or JsonValueKind.False when equality:
                // Of two booleans, the one that differs is the other one.
                return new AudienceCondition.Literal(attribute, [value.GetBoolean() == (comparison == Comparison.Eq) ? "true" : "false"]);
            case JsonValueKind.Null when comparison == Comparison.Eq:
                return new AudienceCondition.Literal(attribute, ["null"]);
            case JsonValueKind.Null when comparison == Comparison.Ne:
                errors.Add(pointer, "ne null would match nobody, since ne asks for another value of the same type; use exists, or not with eq null.");
                return null;
            default:
                errors.Add(pointer, equality ? "Must be a string, a number, a boolean or null." : "Must be a string or a number.");
                return null;
        }
    }

    private AudienceCondition? ReadIn(string attribute, JsonElement values, string pointer)
    {
        if (values.ValueKind != JsonValueKind.Array || values.GetArrayLength() is 0 or > ValuesMax)
        {
            errors.Add(pointer, $"in takes an array of 1 to {ValuesMax} values.");
            return null;
        }

        var kind = Kind(values[0]);
        foreach (var (index, value) in values.EnumerateArray().Index())
        {
            errors.AddIf(Kind(value) != kind || kind == JsonValueKind.Undefined, $"{pointer}/{index}",
                "Must be a string, a number or a boolean, of the same type as the first value.");
        }

        var all = values.EnumerateArray().Index().Where(one => Kind(one.Item) == kind);
        return kind switch
        {
            JsonValueKind.String => new AudienceCondition.Text(attribute, Comparison.In, [.. all.Select(one => ReadText(one.Item, $"{pointer}/{one.Index}"))]),
            JsonValueKind.Number => new AudienceCondition.Number(attribute, Comparison.In, [.. all.Select(one => ReadNumber(one.Item, $"{pointer}/{one.Index}"))]),
            JsonValueKind.True => new AudienceCondition.Literal(attribute, [.. all.Select(one => one.Item.GetRawText()).Distinct()]),
            _ => null,
        };
    }

    /// <summary>The type: String, Number, True for both booleans, Undefined for anything <c>in</c> does not take.</summary>
    private static JsonValueKind Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String or JsonValueKind.Number => value.ValueKind,
        JsonValueKind.True or JsonValueKind.False => JsonValueKind.True,
        _ => JsonValueKind.Undefined,
    };

    private string ReadText(JsonElement value, string pointer)
    {
        if (!JsonText.TryRead(value, out var text))
        {
            errors.Add(pointer, "Half a surrogate pair is not allowed.");
            return "";
        }

        errors.AddIf(text.Length > TextLengthMax, pointer, $"A string has at most {TextLengthMax} characters.");
        errors.CheckText(pointer, text);
        return text;
    }

    private double ReadNumber(JsonElement value, string pointer)
    {
        var number = value.GetDouble();
        errors.AddIf(!double.IsFinite(number), pointer, "The number is too large.");
        return number;
    }
}
