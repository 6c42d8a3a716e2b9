using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Walks the template's JSON once and writes it compact, with slots. Keys are never replaced.</summary>
internal sealed class JsonBodyCompiler(SegmentWriter writer, TemplateProblems problems)
{
    public const int DepthMax = 64;
    public const string Root = "/parameters";
    private static readonly byte[] Separator = ","u8.ToArray();

    public CompiledBody Compile(JsonElement parameters, BatchContract? batch) => batch switch
    {
        null => new([], Whole(parameters), [], false),
        { Parameter: { Length: > 0 } key } => Keyed(parameters, key),
        _ => RootArray(parameters),
    };

    private IReadOnlyList<TemplateSegment> Whole(JsonElement parameters)
    {
        Value(parameters, Root, 1);
        return writer.Take();
    }

    private CompiledBody RootArray(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Array || parameters.GetArrayLength() == 0)
        {
            problems.Add("/batch/parameter", "An empty batch parameter repeats the root array: the parameters must be an array whose first element is the record.");
            return CompiledBody.Nothing;
        }
        writer.Raw("["u8);
        var head = writer.Take();
        var (record, scalar) = Prototype(parameters, Root);
        writer.Raw("]"u8);
        return new(head, record, writer.Take(), scalar) { Separator = Separator };
    }

    private CompiledBody Keyed(JsonElement parameters, string key)
    {
        if (parameters.ValueKind != JsonValueKind.Object || !parameters.TryGetProperty(key, out _))
        {
            var keys = parameters.ValueKind == JsonValueKind.Object ? string.Join(", ", parameters.EnumerateObject().Select(member => member.Name)) : "none";
            problems.Add("/batch/parameter", $"The parameters have no key '{key}' at the top. Keys are: {keys}.");
            return new([], Whole(parameters), [], false);
        }
        IReadOnlyList<TemplateSegment> head = [], record = [];
        var scalar = false;
        Object(parameters, Root, 1, (member, pointer) =>
        {
            if (member.Name != key)
            {
                return false;
            }
            writer.Raw("["u8);
            head = writer.Take();
            (record, scalar) = Prototype(member.Value, pointer);
            writer.Raw("]"u8);
            return true;
        });
        return new(head, record, writer.Take(), scalar) { Separator = Separator };
    }

    /// <summary>The first element is the record; a value that is no array is taken as an array of one.</summary>
    private (IReadOnlyList<TemplateSegment> Record, bool Scalar) Prototype(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            if (value.GetArrayLength() == 0)
            {
                problems.Add(pointer, "The repeated array is empty: put one record into it as the prototype.");
                return ([], false);
            }
            if (value.GetArrayLength() > 1)
            {
                problems.Warn($"{pointer}: only the first element is the prototype of a record; the other {value.GetArrayLength() - 1} are left out.");
            }
            (value, pointer) = (value[0], pointer + "/0");
        }
        Value(value, pointer, 2);
        return (writer.Take(), value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array));
    }

    private void Value(JsonElement value, string pointer, int depth)
    {
        if (depth > DepthMax)
        {
            problems.Add(pointer, $"The JSON is nested more than {DepthMax} deep.");
            return;
        }
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Object(value, pointer, depth, static (_, _) => false);
                break;
            case JsonValueKind.Array:
                Array(value, pointer, depth);
                break;
            case JsonValueKind.String:
                String(value, pointer);
                break;
            default:
                writer.Text(value.GetRawText(), ValuePlace.PlainText);
                break;
        }
    }

    private void Object(JsonElement value, string pointer, int depth, Func<JsonProperty, string, bool> replaces)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        writer.Raw("{"u8);
        foreach (var member in value.EnumerateObject())
        {
            var inside = pointer + TemplateProblems.Step(member.Name);
            if (!seen.Add(member.Name))
            {
                problems.Add(inside, $"The key '{member.Name}' occurs twice in one object.");
                continue;
            }
            if (member.Name.Contains("$$", StringComparison.Ordinal))
            {
                problems.Warn($"{inside}: keys are not replaced; the placeholder in this key is sent as it is.");
            }
            writer.Raw(seen.Count == 1 ? "\""u8 : ",\""u8);
            writer.Text(member.Name, ValuePlace.JsonString);
            writer.Raw("\":"u8);
            if (!replaces(member, inside))
            {
                Value(member.Value, inside, depth + 1);
            }
        }
        writer.Raw("}"u8);
    }

    private void Array(JsonElement value, string pointer, int depth)
    {
        var index = 0;
        writer.Raw("["u8);
        foreach (var item in value.EnumerateArray())
        {
            writer.Raw(index == 0 ? default : ","u8);
            Value(item, $"{pointer}/{index++}", depth + 1);
        }
        writer.Raw("]"u8);
    }

    private void String(JsonElement value, string pointer)
    {
        var text = value.GetString()!;
        if (TemplateText.WholeCustom(text) is { } name)
        {
            // Its value brings the quotes, or is no string at all.
            writer.Add(new TemplateSegment.Slot(name, ValuePlace.JsonString, Whole: true, new(pointer)));
            return;
        }
        writer.Raw("\""u8);
        TemplateText.Compile(text, ValuePlace.JsonString, pointer, writer, problems);
        writer.Raw("\""u8);
    }
}
