using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Compiles one string of a template, wherever it stands.</summary>
internal static class TemplateText
{
    /// <summary>Writes literal stretches escaped for the place, and slots between them.</summary>
    public static void Compile(string text, ValuePlace place, string pointer, SegmentWriter writer, TemplateProblems problems)
    {
        foreach (var token in PlaceholderGrammar.Parse(text, message => problems.Add(pointer, message)))
        {
            Compile(token, place, pointer, writer, problems);
        }
    }

    /// <summary>The custom placeholder that is the whole text, if it is one.</summary>
    public static string? WholeCustom(string text) =>
        text.StartsWith("$$", StringComparison.Ordinal)
        && PlaceholderGrammar.Parse(text, static _ => { }) is [TemplateToken.Placeholder only] && Placeholders.IsCustom(only.Name) ? only.Name : null;

    private static void Compile(TemplateToken token, ValuePlace place, string pointer, SegmentWriter writer, TemplateProblems problems)
    {
        switch (token)
        {
            case TemplateToken.Literal literal:
                writer.Text(literal.Text, place);
                break;
            case TemplateToken.Placeholder placeholder:
                writer.Add(new TemplateSegment.Slot(placeholder.Name, place, Whole: false, pointer));
                break;
            case TemplateToken.Liquid liquid:
                var (template, errors) = LiquidTemplate.Parse(liquid.Source, html: false);
                foreach (var error in errors)
                {
                    problems.Add(pointer, error.Message);
                }
                if (template is not null)
                {
                    writer.Add(new TemplateSegment.Liquid(template, place, pointer));
                }
                break;
        }
    }
}
