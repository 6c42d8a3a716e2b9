using System.Xml;

namespace GenericHttpEsp.Providers;

/// <summary>What a parser's message means to someone who writes a template.</summary>
internal static class XmlWords
{
    public static string Of(XmlException error, string source)
    {
        if (error.Message.Contains("DTD", StringComparison.Ordinal))
        {
            return "A document type (DTD) and its entities are not allowed: leave it out.";
        }
        var letter = At(source, error.LineNumber, error.LinePosition);
        return letter is '$' or '{' or '}'
            ? "A placeholder cannot stand here: only in the text of an element or in the value of an attribute."
            : $"This is not XML: {Shortened(error.Message)}";
    }

    private static char At(string source, int line, int column)
    {
        var start = 0;
        for (; line > 1 && start < source.Length; start++)
        {
            if (source[start] == '\n' || (source[start] == '\r' && (start + 1 == source.Length || source[start + 1] != '\n')))
            {
                line--;
            }
        }
        return start + column - 1 is var index && index >= 0 && index < source.Length ? source[index] : '\0';
    }

    private static string Shortened(string message)
    {
        var end = message.LastIndexOf(" Line ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
