using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A body of plain text: values stand in it as they are, so it carries one message. Nothing could tell where the next record begins.</summary>
internal static class TextBodyCompiler
{
    public static CompiledBody Compile(string text, BatchContract? batch, SegmentWriter writer, TemplateProblems problems)
    {
        if (batch is not null)
        {
            problems.Add("/batch", "Text carries one message: batching needs bodyFormat json, form or xml.");
        }
        TemplateText.Compile(text, ValuePlace.PlainText, new TextSpots(JsonBodyCompiler.Root, text).At, writer, problems);
        return new([], writer.Take(), [], false);
    }
}
