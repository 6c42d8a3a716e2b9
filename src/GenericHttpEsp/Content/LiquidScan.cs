namespace GenericHttpEsp.Content;

/// <summary>An error in a template's text, for the person who wrote it. Line and column count from 1.</summary>
internal readonly record struct LiquidError(int Line, int Column, string Message);

/// <summary>
/// One linear pass before Fluid parses: Fluid 2.41.1 dies of an uncatchable stack overflow at 3,000 nested tags or deep brackets and in
/// evaluating thousands of terms. What this pass and Fluid could read differently (odd end tags in raw blocks) is refused.
/// </summary>
internal ref struct LiquidScan
{
    public const int CharactersMax = 256 * 1024;
    public const int TagDepthMax = 100;
    public const int BracketDepthMax = 100;
    public const int TermsMax = 200;
    public const int TagsMax = 10_000;

    private readonly ReadOnlySpan<char> _source;
    private int _position;
    private int _tags;
    private int _depth;
    private int _deepestTag;
    private int _deepestBracket;
    private int _errorAt;
    private string? _error;

    private LiquidScan(ReadOnlySpan<char> source) => _source = source;

    /// <param name="source">The template.</param>
    /// <param name="deepest">Nesting of tags and brackets together, at most.</param>
    public static LiquidError? Check(string source, out int deepest)
    {
        deepest = 0;
        if (source.Length > CharactersMax)
        {
            return new(1, 1, $"The text has {source.Length} characters; at most {CharactersMax} are allowed. Move parts into images or shorten it.");
        }
        var scan = new LiquidScan(source);
        while (scan._error is null && scan.NextTag())
        {
        }
        deepest = scan._deepestTag + scan._deepestBracket;
        return scan._error is null ? null : At(source, scan._errorAt, scan._error);
    }

    public static LiquidError At(ReadOnlySpan<char> source, int position, string message)
    {
        var before = source[..position];
        return new(before.Count('\n') + 1, position - before.LastIndexOf('\n'), message);
    }

    /// <summary>From a position inside an expression to behind its <c>}}</c>; -1 when it is never closed. Quotes are respected.</summary>
    public static int EndOfOutput(ReadOnlySpan<char> source, int position)
    {
        var scan = new LiquidScan(source) { _position = position };
        return scan.Expression('}', position) ? scan._position : -1;
    }

    private bool NextTag()
    {
        while (true)
        {
            var brace = _source[_position..].IndexOf('{');
            if (brace < 0 || _position + brace + 1 >= _source.Length)
            {
                return false;
            }
            _position += brace + 1;
            if (_source[_position] is '{' or '%')
            {
                break;
            }
        }
        var start = _position - 1;
        var isTag = _source[_position++] == '%';
        if (++_tags > TagsMax)
        {
            return Refuse(start, $"More than {TagsMax} tags and outputs. Use a loop, or split the campaign.");
        }
        if (_position < _source.Length && _source[_position] == '-')
        {
            _position++;
        }
        return isTag ? Tag(start) : Expression('}', start);
    }

    private bool Tag(int start)
    {
        SkipSpace();
        var from = _position;
        while (_position < _source.Length && (char.IsAsciiLetter(_source[_position]) || _source[_position] == '#'))
        {
            _position++;
        }
        var name = _source[from.._position];
        if (!LiquidTags.IsAllowed(name))
        {
            return Refuse(start, LiquidTags.WhyNot(name));
        }
        if (LiquidTags.Opens(name) && ++_depth > TagDepthMax)
        {
            return Refuse(start, $"Tags are nested more than {TagDepthMax} deep. Close some before opening more.");
        }
        _deepestTag = Math.Max(_deepestTag, _depth);
        if (name is "#")
        {
            return Refuse(start, "Inline comments are not supported: use {% comment %} ... {% endcomment %}.");
        }
        _depth -= name.StartsWith("end") ? 1 : 0;
        return Expression('%', start) && (name is not ("raw" or "comment") || Verbatim(name, start));
    }

    private bool Expression(char end, int start)
    {
        var (brackets, terms, inWord) = (0, 0, false);
        for (; _position < _source.Length; _position++)
        {
            var letter = _source[_position];
            if (letter == end && _position + 1 < _source.Length && _source[_position + 1] == '}')
            {
                _position += 2;
                return true;
            }
            var isWord = char.IsLetterOrDigit(letter) || letter is '_' or '"' or '\'';
            terms += isWord && !inWord ? 1 : 0;
            inWord = isWord;
            brackets += letter is '[' or '(' or '{' ? 1 : letter is ']' or ')' or '}' ? -1 : 0;
            _deepestBracket = Math.Max(_deepestBracket, brackets);
            if (brackets > BracketDepthMax)
            {
                return Refuse(start, $"Brackets are nested more than {BracketDepthMax} deep. Use assign for the inner parts.");
            }
            if (terms > TermsMax)
            {
                return Refuse(start, $"More than {TermsMax} terms in one expression. Use assign to split it.");
            }
            if (letter is '"' or '\'' && !SkipQuoted(letter))
            {
                break;
            }
        }
        return Refuse(start, end == '}' ? "This {{ is never closed: add }} (and check the quotes inside)." : "This {% is never closed: add %} (and check the quotes inside).");
    }

    /// <summary>Leaves the position on the closing quote. Fluid's strings know backslash escapes.</summary>
    private bool SkipQuoted(char quote)
    {
        for (_position++; _position < _source.Length; _position++)
        {
            if (_source[_position] == '\\')
            {
                _position++;
            }
            else if (_source[_position] == quote)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Skips the inside of raw or comment. The first thing that looks like its end tag must be one beyond doubt.</summary>
    private bool Verbatim(ReadOnlySpan<char> name, int start)
    {
        while (true)
        {
            var next = _source[_position..].IndexOf("{%");
            if (next < 0)
            {
                return Refuse(start, $"This {{% {name} %}} is never closed: add {{% end{name} %}}.");
            }
            _position += next + 2;
            var inside = _source[_position..];
            var end = inside.IndexOf("end", StringComparison.OrdinalIgnoreCase);
            if (end < 0 || inside[..end].ContainsAnyInRange('a', 'z') || !inside[(end + 3)..].StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }
            var tail = inside[(end + 3 + name.Length)..].TrimStart(" \t\r\n").TrimStart('-');
            if (inside[..end].Trim(" \t\r\n-").IsEmpty && inside.Slice(end, 3) is "end" && inside.Slice(end + 3, name.Length).SequenceEqual(name) && tail.StartsWith("%}"))
            {
                _depth--;
                _position = _source.Length - tail.Length + 2;
                return true;
            }
            return Refuse(_position - 2, $"Write the end of the block exactly as {{% end{name} %}}.");
        }
    }

    private void SkipSpace()
    {
        while (_position < _source.Length && _source[_position] is ' ' or '\t' or '\r' or '\n')
        {
            _position++;
        }
    }

    private bool Refuse(int at, string message)
    {
        (_errorAt, _error) = (at, message);
        return false;
    }
}
