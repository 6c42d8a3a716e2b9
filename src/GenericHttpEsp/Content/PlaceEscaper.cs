using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace GenericHttpEsp.Content;

/// <summary>Where a value is written; decides how it is escaped.</summary>
public enum ValuePlace
{
    /// <summary>Inside a JSON string (RFC 8259): quote, backslash and controls are escaped, all else stays UTF-8.</summary>
    JsonString,

    /// <summary>XML 1.0 text between tags; characters that XML forbids are dropped.</summary>
    XmlText,

    /// <summary>application/x-www-form-urlencoded: letters, digits and <c>-._~*</c> stay, a space is a plus.</summary>
    FormValue,

    /// <summary>A component of a URL's query (RFC 3986): all but letters, digits and <c>-._~*</c> is percent-encoded.</summary>
    QueryComponent,

    /// <summary>HTTP header value: every control character, CR, LF and NUL among them, becomes a space. Non-ASCII goes as UTF-8 bytes (obs-text).</summary>
    HeaderValue,

    /// <summary>As it is.</summary>
    PlainText,

    /// <summary>XML 1.0 attribute value in double quotes; characters that XML forbids are dropped.</summary>
    XmlAttribute,
}

/// <summary>Escapes straight into UTF-8. Lone surrogates and broken UTF-8 become U+FFFD in every place.</summary>
internal static class PlaceEscaper
{
    private const int ChunkBytes = 4096;
    private const int SmallChunkBytes = 384;
    private static readonly SearchValues<byte> JsonSpecial = SearchValues.Create([.. Range(0, 0x1f), (byte)'"', (byte)'\\']);
    // 0xEF starts U+FFFE and U+FFFF (and U+FFFD, which is fine): looked at closer in the slow path.
    private static readonly SearchValues<byte> XmlSpecial = SearchValues.Create([.. Range(0, 0x1f).Except("\t\n"u8.ToArray()), .. "<>&"u8, 0xEF]);
    private static readonly SearchValues<byte> XmlAttributeSpecial = SearchValues.Create([.. Range(0, 0x1f), .. "<>&\""u8, 0xEF]);
    private static readonly SearchValues<byte> HeaderSpecial = SearchValues.Create([.. Range(0, 0x1f), 0x7f]);
    private static readonly SearchValues<byte> UrlSpecial = SearchValues.Create([.. Range(0, 255).Except("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~*"u8.ToArray())]);

    public static void Write(ReadOnlySpan<char> value, ValuePlace place, Utf8Buffer output)
    {
        if (value.Length <= SmallChunkBytes / 3)
        {
            Span<byte> small = stackalloc byte[SmallChunkBytes];
            Write(value, place, output, small);
        }
        else
        {
            Span<byte> chunk = stackalloc byte[ChunkBytes];
            Write(value, place, output, chunk);
        }
    }

    private static void Write(ReadOnlySpan<char> value, ValuePlace place, Utf8Buffer output, Span<byte> chunk)
    {
        while (!value.IsEmpty)
        {
            Utf8.FromUtf16(value, chunk, out var read, out var written, replaceInvalidSequences: true, isFinalBlock: true);
            Escape(chunk[..written], place, output);
            value = value[read..];
        }
    }

    public static void Write(ReadOnlySpan<byte> utf8, ValuePlace place, Utf8Buffer output)
    {
        if (Utf8.IsValid(utf8))
        {
            Escape(utf8, place, output);
        }
        else
        {
            Write(Encoding.UTF8.GetString(utf8).AsSpan(), place, output);
        }
    }

    private static void Escape(ReadOnlySpan<byte> utf8, ValuePlace place, Utf8Buffer output)
    {
        if (place == ValuePlace.PlainText)
        {
            output.Write(utf8);
            return;
        }
        var special = SpecialOf(place);
        while (true)
        {
            var next = utf8.IndexOfAny(special);
            if (next < 0)
            {
                output.Write(utf8);
                return;
            }
            output.Write(utf8[..next]);
            utf8 = utf8[next..];
            utf8 = utf8[EscapeOne(utf8, place, output)..];
        }
    }

    private static SearchValues<byte> SpecialOf(ValuePlace place) => place switch
    {
        ValuePlace.JsonString => JsonSpecial,
        ValuePlace.XmlText => XmlSpecial,
        ValuePlace.XmlAttribute => XmlAttributeSpecial,
        ValuePlace.HeaderValue => HeaderSpecial,
        _ => UrlSpecial,
    };

    /// <summary>Writes the first byte (or forbidden character) escaped; returns how many bytes it took.</summary>
    private static int EscapeOne(ReadOnlySpan<byte> utf8, ValuePlace place, Utf8Buffer output)
    {
        var value = utf8[0];
        switch (place)
        {
            case ValuePlace.JsonString:
                EscapeJson(value, output);
                return 1;
            case ValuePlace.XmlText or ValuePlace.XmlAttribute:
                return EscapeXml(utf8, output);
            case ValuePlace.HeaderValue:
                output.WriteByte((byte)' ');
                return 1;
            case ValuePlace.FormValue when value == ' ':
                output.WriteByte((byte)'+');
                return 1;
            default:
                output.Write([(byte)'%', HexOf(value >> 4), HexOf(value & 15)]);
                return 1;
        }
    }

    private static void EscapeJson(byte value, Utf8Buffer output)
    {
        var letter = value switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            _ => (byte)0,
        };
        if (letter != 0)
        {
            output.Write([(byte)'\\', letter]);
        }
        else
        {
            output.Write([(byte)'\\', (byte)'u', (byte)'0', (byte)'0', HexOf(value >> 4), HexOf(value & 15)]);
        }
    }

    private static int EscapeXml(ReadOnlySpan<byte> utf8, Utf8Buffer output)
    {
        switch (utf8[0])
        {
            case (byte)'<': output.Write("&lt;"u8); return 1;
            case (byte)'>': output.Write("&gt;"u8); return 1;
            case (byte)'&': output.Write("&amp;"u8); return 1;
            case (byte)'"': output.Write("&quot;"u8); return 1;
            // References, since a parser turns a literal CR, and in attributes a literal tab or LF, into something else.
            case (byte)'\t': output.Write("&#9;"u8); return 1;
            case (byte)'\n': output.Write("&#10;"u8); return 1;
            case (byte)'\r': output.Write("&#13;"u8); return 1;
            case 0xEF when utf8.Length >= 3 && utf8[1] == 0xBF && utf8[2] >= 0xBE: return 3;
            case 0xEF: output.WriteByte(0xEF); return 1;
            default: return 1;
        }
    }

    private static byte HexOf(int nibble) => "0123456789ABCDEF"u8[nibble];

    private static IEnumerable<byte> Range(int from, int to) => Enumerable.Range(from, to - from + 1).Select(value => (byte)value);
}
