using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace GenericHttpEsp.Content;

/// <summary>Fluid's capture writes to a StringWriter of its own, without a limit.</summary>
internal sealed class BoundedCapture(string identifier, IReadOnlyList<Statement> statements) : Statement
{
    public override async ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        context.IncrementSteps();
        var completion = Completion.Normal;
        using var text = new BoundedStringWriter((RenderContext)context);
        foreach (var statement in statements)
        {
            completion = await statement.WriteToAsync(text, encoder, context);
            if (completion != Completion.Normal)
            {
                break;
            }
        }
        // Encoded while it was captured.
        context.SetValue(identifier, new StringValue(text.ToString(), encode: false));
        return completion;
    }

    protected override Statement Accept(AstVisitor visitor) => this;
}

/// <summary>StringWriter's asynchronous writes end in these.</summary>
internal sealed class BoundedStringWriter(RenderContext context) : StringWriter(new StringBuilder(), CultureInfo.InvariantCulture)
{
    public override void Write(char value)
    {
        Check(1);
        base.Write(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        Check(count);
        base.Write(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        Check(buffer.Length);
        base.Write(buffer);
    }

    public override void Write(string? value)
    {
        Check(value?.Length ?? 0);
        base.Write(value);
    }

    private void Check(int more)
    {
        context.ThrowIfLate();
        ValueWeight.ThrowIfLong((long)GetStringBuilder().Length + more);
    }
}
