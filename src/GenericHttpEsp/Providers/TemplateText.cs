using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Compiles one string of a template, wherever it stands.</summary>
internal static class TemplateText
{
    /// <summary>Writes literal stretches escaped for the place, and slots between them.</summary>
    public static void Compile(string text, ValuePlace place, string pointer, SegmentWriter writer, TemplateProblems problems) =>
        Compile(text, place, _ => new(pointer), writer, problems);

    /// <param name="text">Of the template.</param>
    /// <param name="place">What to escape for.</param>
    /// <param name="spot">Where one of its characters stands.</param>
    /// <param name="writer">Takes the segments.</param>
    /// <param name="problems">Takes the errors.</param>
    public static void Compile(string text, ValuePlace place, Func<int, TemplateSpot> spot, SegmentWriter writer, TemplateProblems problems)
    {
        foreach (var token in PlaceholderGrammar.Parse(text, (position, message) => problems.Add(spot(position), message)))
        {
            Compile(token, place, spot(token.Start), writer, problems);
        }
    }

    /// <summary>Nothing in it is replaced: it goes out as it stands.</summary>
    public static bool IsFixed(string text) => PlaceholderGrammar.Parse(text, static (_, _) => { }).TrueForAll(static token => token is TemplateToken.Literal);

    /// <summary>The custom placeholder that is the whole text, if it is one.</summary>
    public static string? WholeCustom(string text) =>
        text.StartsWith("$$", StringComparison.Ordinal)
        && PlaceholderGrammar.Parse(text, static (_, _) => { }) is [TemplateToken.Placeholder only] && Placeholders.IsCustom(only.Name) ? only.Name : null;

    private static void Compile(TemplateToken token, ValuePlace place, TemplateSpot spot, SegmentWriter writer, TemplateProblems problems)
    {
        switch (token)
        {
            case TemplateToken.Literal literal:
                writer.Text(literal.Text, place);
                break;
            case TemplateToken.Placeholder placeholder:
                writer.Add(new TemplateSegment.Slot(placeholder.Name, place, Whole: false, spot));
                break;
            case TemplateToken.Liquid liquid:
                var (template, errors) = LiquidTemplate.Parse(liquid.Source, html: false);
                foreach (var error in errors)
                {
                    problems.Add(spot, error.Message);
                }
                if (template is not null)
                {
                    writer.Add(new TemplateSegment.Liquid(template, place, spot));
                }
                break;
        }
    }
}
