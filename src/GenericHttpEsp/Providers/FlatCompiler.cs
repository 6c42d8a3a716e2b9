using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A flat object to <c>name=value&amp;name=value</c>: the query of a GET (and, with another place, a form).</summary>
internal static class FlatCompiler
{
    public static IReadOnlyList<TemplateSegment> Compile(JsonElement parameters, ValuePlace place, SegmentWriter writer, TemplateProblems problems)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            problems.Add(JsonBodyCompiler.Root, "Parameters of a GET request are one flat object of names and values.");
            return [];
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
            writer.Raw(seen.Count == 1 ? default : "&"u8);
            writer.Text(member.Name, place);
            writer.Raw("="u8);
            Value(member.Value, pointer, place, writer, problems);
        }
        return writer.Take();
    }

    private static void Value(JsonElement value, string pointer, ValuePlace place, SegmentWriter writer, TemplateProblems problems)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                TemplateText.Compile(value.GetString()!, place, pointer, writer, problems);
                break;
            case JsonValueKind.Null:
                break;
            case JsonValueKind.Object or JsonValueKind.Array:
                problems.Add(pointer, "Values are strings, numbers or booleans here: an object or a list has no place in a query.");
                break;
            default:
                writer.Text(value.GetRawText(), place);
                break;
        }
    }
}
