using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A stretch of a template string.</summary>
/// <param name="Start">Its first character.</param>
internal abstract record TemplateToken(int Start)
{
    internal sealed record Literal(string Text, int Start) : TemplateToken(Start);

    internal sealed record Placeholder(string Name, int Start) : TemplateToken(Start);

    /// <param name="Source">With its braces.</param>
    /// <param name="Start">Its first brace.</param>
    internal sealed record Liquid(string Source, int Start) : TemplateToken(Start);
}

/// <summary>
/// <c>$$</c>, a letter, then letters, digits and <c>_</c>, as long as they go; <c>$$$$</c> is a literal <c>$$</c>; <c>{{ ... }}</c> is a Liquid
/// output, tags are not allowed. One pass: what a value brings in is never read again.
/// </summary>
internal static class PlaceholderGrammar
{
    private const int NameMax = 64;

    /// <param name="text">Of the template.</param>
    /// <param name="refuse">Takes what is wrong, and at which character.</param>
    public static List<TemplateToken> Parse(string text, Action<int, string> refuse)
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
                Flush(literal, position, tokens);
                var name = NameAt(rest[2..]);
                tokens.Add(new TemplateToken.Placeholder(name, position));
                CheckName(name, position, refuse);
                position += 2 + name.Length;
            }
            else if (rest.StartsWith("{{"))
            {
                Flush(literal, position, tokens);
                position = Liquid(text, position, tokens, refuse);
            }
            else
            {
                if (rest.StartsWith("{%"))
                {
                    refuse(position, "Liquid tags ({% ... %}) are not allowed in parameters and headers, only output such as {{ profile.name }}.");
                }
                literal.Append(text[position++]);
            }
        }
        Flush(literal, text.Length, tokens);
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

    private static void CheckName(string name, int position, Action<int, string> refuse)
    {
        if (Placeholders.RightSpelling(name) is { } right)
        {
            refuse(position, $"$${name} is not known; write $${right} (placeholders are case-sensitive).");
        }
        else if (name.Length > NameMax)
        {
            refuse(position, $"A placeholder's name has at most {NameMax} characters.");
        }
    }

    private static int Liquid(string text, int start, List<TemplateToken> tokens, Action<int, string> refuse)
    {
        var end = LiquidScan.EndOfOutput(text, start + 2);
        if (end < 0)
        {
            refuse(start, "This {{ is never closed: add }}. For two literal braces write {{ \"{{\" }}.");
            return text.Length;
        }
        tokens.Add(new TemplateToken.Liquid(text[start..end], start));
        return end;
    }

    private static void Flush(StringBuilder literal, int end, List<TemplateToken> tokens)
    {
        if (literal.Length > 0)
        {
            tokens.Add(new TemplateToken.Literal(literal.ToString(), end - literal.Length));
            literal.Clear();
        }
    }
}
