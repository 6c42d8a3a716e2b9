namespace GenericHttpEsp.Providers;

/// <summary>Where something stands, for messages.</summary>
/// <param name="Pointer">JSON pointer into the provider or campaign.</param>
/// <param name="Inside">Line and column in the string there, in words; empty when the pointer says it all.</param>
internal readonly record struct TemplateSpot(string Pointer, string Inside = "")
{
    public static TemplateSpot At(string pointer, int line, int column) => new(pointer, $"Line {line}, column {column}: ");
}

/// <summary>Lines and columns of a text that itself begins at a line and column (1, 1 for a whole string). Goes forward: quick when asked in order.</summary>
internal sealed class TextSpots(string pointer, string text, int line = 1, int column = 1)
{
    private (int Offset, int Line, int Column) _last = (0, line, column);

    public TemplateSpot At(int offset)
    {
        var (at, atLine, atColumn) = offset < _last.Offset ? (0, line, column) : _last;
        for (; at < offset; at++)
        {
            (atLine, atColumn) = text[at] == '\n' ? (atLine + 1, 1) : (atLine, atColumn + 1);
        }
        _last = (at, atLine, atColumn);
        return TemplateSpot.At(pointer, atLine, atColumn);
    }
}
