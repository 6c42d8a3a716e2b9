using System.Buffers;
using System.Text;

namespace GenericHttpEsp.Content;

/// <summary>
/// What Fluid writes to: escapes for the place as it goes into the record's buffer, checks the deadline. One per rendering thread.
/// With <c>singleLine</c> (subject, names, addresses) controls and bidi overrides become spaces: they would forge mail headers at the ESP.
/// </summary>
internal sealed class EscapingTextWriter : TextWriter
{
    private static readonly SearchValues<char> SingleLineSpecial = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Select(code => (char)code), '\u007f', '\u0085', '\u2028', '\u2029', .. "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]);

    private Utf8Buffer? _output;
    private RenderContext? _context;
    private ValuePlace _place;
    private bool _singleLine;
    private char _highSurrogate;

    public override Encoding Encoding => Encoding.UTF8;

    public ValuePlace Place => _place;

    public void Begin(Utf8Buffer output, ValuePlace place, bool singleLine, RenderContext? context)
    {
        (_output, _place, _singleLine, _context, _highSurrogate) = (output, place, singleLine, context, '\0');
    }

    /// <summary>Bytes that were escaped for <see cref="Place"/> before. False for a single line, which is cleaned first.</summary>
    public bool TryWriteEscaped(ReadOnlySpan<byte> escaped)
    {
        if (_singleLine)
        {
            return false;
        }
        EndSurrogate();
        _context?.ThrowIfLate();
        _output!.Write(escaped);
        return true;
    }

    public void End() => EndSurrogate();

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (buffer.IsEmpty)
        {
            return;
        }
        _context?.ThrowIfLate();
        if (_highSurrogate != 0)
        {
            buffer = JoinSurrogate(buffer);
        }
        if (!buffer.IsEmpty && char.IsHighSurrogate(buffer[^1]))
        {
            // Its other half may come with the next write.
            _highSurrogate = buffer[^1];
            buffer = buffer[..^1];
        }
        WriteWhole(buffer);
    }

    public override void Write(char value) => Write([value]);
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));
    public override void Write(string? value) => Write(value.AsSpan());

    public override Task WriteAsync(char value)
    {
        Write([value]);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer.AsSpan(index, count));
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value.AsSpan());
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override Task FlushAsync() => Task.CompletedTask;

    private ReadOnlySpan<char> JoinSurrogate(ReadOnlySpan<char> buffer)
    {
        var high = _highSurrogate;
        _highSurrogate = '\0';
        if (char.IsLowSurrogate(buffer[0]))
        {
            WriteWhole([high, buffer[0]]);
            return buffer[1..];
        }
        WriteWhole([high]);
        return buffer;
    }

    private void EndSurrogate()
    {
        if (_highSurrogate != 0)
        {
            var high = _highSurrogate;
            _highSurrogate = '\0';
            WriteWhole([high]);
        }
    }

    private void WriteWhole(ReadOnlySpan<char> value)
    {
        if (_singleLine)
        {
            SingleLine.Write(value, _place, _output!, SingleLineSpecial);
        }
        else
        {
            PlaceEscaper.Write(value, _place, _output!);
        }
    }
}

/// <summary>A value that must stay on one line, wherever it stands.</summary>
internal static class SingleLine
{
    public static void Write(ReadOnlySpan<char> value, ValuePlace place, Utf8Buffer output, SearchValues<char> special)
    {
        while (true)
        {
            var next = value.IndexOfAny(special);
            if (next < 0)
            {
                PlaceEscaper.Write(value, place, output);
                return;
            }
            PlaceEscaper.Write(value[..next], place, output);
            PlaceEscaper.Write(" ".AsSpan(), place, output);
            value = value[(next + 1)..];
        }
    }
}
