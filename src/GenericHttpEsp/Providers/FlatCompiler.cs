using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A flat object to <c>name=value&amp;name=value</c>: a form, or the query of a GET. Names are never replaced.</summary>
internal sealed class FlatCompiler(ValuePlace place, SegmentWriter writer, TemplateProblems problems)
{
    private static readonly byte[] Separator = "&"u8.ToArray();

    public IReadOnlyList<TemplateSegment> Query(JsonElement parameters)
    {
        Fields(parameters, static (_, _) => false);
        return writer.Take();
    }

    /// <summary>A batch repeats one field of the form: <c>to=a&amp;to=b</c>.</summary>
    public CompiledBody Form(JsonElement parameters, BatchContract? batch)
    {
        if (batch is null)
        {
            return new([], Query(parameters), [], false);
        }
        IReadOnlyList<TemplateSegment>? head = null, record = null;
        Fields(parameters, (member, pointer) =>
        {
            if (member.Name != batch.Parameter)
            {
                return false;
            }
            head = writer.Take();
            Field(member.Name, Prototype(member.Value, pointer), pointer);
            record = writer.Take();
            return true;
        });
        if (record is null)
        {
            var names = parameters.ValueKind == JsonValueKind.Object ? string.Join(", ", parameters.EnumerateObject().Select(member => member.Name)) : "none";
            problems.Add("/batch/parameter", $"The form has no field '{batch.Parameter}' to repeat. Fields are: {names}.");
        }
        return new(head ?? [], record ?? [], writer.Take(), true) { Separator = Separator };
    }

    private void Fields(JsonElement parameters, Func<JsonProperty, string, bool> replaces)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            problems.Add(JsonBodyCompiler.Root, "The parameters of a form or a GET request are one flat object of names and values.");
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in parameters.EnumerateObject())
        {
            var pointer = JsonBodyCompiler.Root + TemplateProblems.Step(member.Name);
            if (!seen.Add(member.Name))
            {
                problems.Add(pointer, $"The name '{member.Name}' occurs twice.");
                continue;
            }
            if (member.Name.Contains("$$", StringComparison.Ordinal))
            {
                problems.Warn($"{pointer}: names are not replaced; the placeholder in this name is sent as it is.");
            }
            writer.Raw(seen.Count == 1 ? default : Separator);
            if (!replaces(member, pointer))
            {
                Field(member.Name, member.Value, pointer);
            }
        }
    }

    /// <summary>The value itself, or the first of a list of one.</summary>
    private JsonElement Prototype(JsonElement value, string pointer)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
        {
            return value;
        }
        if (value.GetArrayLength() > 1)
        {
            problems.Warn($"{pointer}: only the first element is repeated; the other {value.GetArrayLength() - 1} are left out.");
        }
        return value[0];
    }

    private void Field(string name, JsonElement value, string pointer)
    {
        writer.Text(name, place);
        writer.Raw("="u8);
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                TemplateText.Compile(value.GetString()!, place, pointer, writer, problems);
                break;
            case JsonValueKind.Null:
                break;
            case JsonValueKind.Object or JsonValueKind.Array:
                problems.Add(pointer, "Values are strings, numbers or booleans here. A form or query repeats single fields: records of several fields need bodyFormat json or xml.");
                break;
            default:
                writer.Text(value.GetRawText(), place);
                break;
        }
    }
}
