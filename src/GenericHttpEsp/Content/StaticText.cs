using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;

namespace GenericHttpEsp.Content;

/// <summary>Literal text of a template, escaped once for each place and copied from then on. Shared by threads: the last writer of a slot wins, all write the same.</summary>
internal sealed class StaticText(string text) : Statement
{
    private readonly byte[]?[] _escaped = new byte[]?[Enum.GetValues<ValuePlace>().Length];

    public string Text => text;

    public byte[] EscapedFor(ValuePlace place) => _escaped[(int)place] ??= Escape(place);

    public override ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        context.IncrementSteps();
        if (writer is not EscapingTextWriter escaping || !escaping.TryWriteEscaped(EscapedFor(escaping.Place)))
        {
            writer.Write(text);
        }
        return Normal();
    }

    protected override Statement Accept(AstVisitor visitor) => this;

    private byte[] Escape(ValuePlace place)
    {
        // Nine bytes are the most a character grows to (percent-encoded); the record's own maximum is checked when it is copied.
        using var buffer = new Utf8Buffer((text.Length * 9) + 16);
        PlaceEscaper.Write(text.AsSpan(), place, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
