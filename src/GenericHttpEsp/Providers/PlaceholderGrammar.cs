using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A stretch of a template string.</summary>
internal abstract record TemplateToken
{
    internal sealed record Literal(string Text) : TemplateToken;

    internal sealed record Placeholder(string Name) : TemplateToken;

    /// <param name="Source">With its braces.</param>
    internal sealed record Liquid(string Source) : TemplateToken;
}

/// <summary>
/// <c>$$</c>, a letter, then letters, digits and <c>_</c>, as long as they go; <c>$$$$</c> is a literal <c>$$</c>; <c>{{ ... }}</c> is a Liquid
/// output, tags are not allowed. One pass: what a value brings in is never read again.
/// </summary>
internal static class PlaceholderGrammar
{
    private const int NameMax = 64;

    public static List<TemplateToken> Parse(string text, Action<string> refuse)
    {
        var tokens = new List<TemplateToken>();
        var literal = new StringBuilder();
        var position = 0;
        while (position < text.Length)
        {
            var rest = text.AsSpan(position);
            if (rest.StartsWith("$$$$"))
            {
                literal.Append("$$");
                position += 4;
            }
            else if (rest.StartsWith("$$") && rest.Length > 2 && char.IsAsciiLetter(rest[2]))
            {
                Flush(literal, tokens);
                var name = NameAt(rest[2..]);
                tokens.Add(new TemplateToken.Placeholder(name));
                CheckName(name, refuse);
                position += 2 + name.Length;
            }
            else if (rest.StartsWith("{{"))
            {
                Flush(literal, tokens);
                position = Liquid(text, position, tokens, refuse);
            }
            else
            {
                if (rest.StartsWith("{%"))
                {
                    refuse("Liquid tags ({% ... %}) are not allowed in parameters and headers, only output such as {{ profile.name }}.");
                }
                literal.Append(text[position++]);
            }
        }
        Flush(literal, tokens);
        return tokens;
    }

    private static string NameAt(ReadOnlySpan<char> rest)
    {
        var length = 1;
        while (length < rest.Length && (char.IsAsciiLetterOrDigit(rest[length]) || rest[length] == '_'))
        {
            length++;
        }
        return rest[..length].ToString();
    }

    private static void CheckName(string name, Action<string> refuse)
    {
        if (Placeholders.RightSpelling(name) is { } right)
        {
            refuse($"$${name} is not known; write $${right} (placeholders are case-sensitive).");
        }
        else if (name.Length > NameMax)
        {
            refuse($"A placeholder's name has at most {NameMax} characters.");
        }
    }

    private static int Liquid(string text, int start, List<TemplateToken> tokens, Action<string> refuse)
    {
        var end = LiquidScan.EndOfOutput(text, start + 2);
        if (end < 0)
        {
            refuse("This {{ is never closed: add }}. For two literal braces write {{ \"{{\" }}.");
            return text.Length;
        }
        tokens.Add(new TemplateToken.Liquid(text[start..end]));
        return end;
    }

    private static void Flush(StringBuilder literal, List<TemplateToken> tokens)
    {
        if (literal.Length > 0)
        {
            tokens.Add(new TemplateToken.Literal(literal.ToString()));
            literal.Clear();
        }
    }
}
