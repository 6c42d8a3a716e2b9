using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace GenericHttpEsp.Sandbox;

/// <summary>What a piece of UTF-8 text looks like: an address, a meta string, an unfilled template.</summary>
internal static class SandboxText
{
    /// <summary>Longer text is content, never an address or a message id.</summary>
    public const int CandidateMax = 1024;

    private const int FieldSeparators = 7;

    private static readonly SearchValues<byte> NameLetters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"u8);

    /// <summary>An address, alone or as <c>"Name" &lt;address&gt;</c>; two addresses in one text are none.</summary>
    public static bool TryAddress(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> address)
    {
        address = text;
        if (text.Length > 2 && text[^1] == '>')
        {
            var open = text.LastIndexOf((byte)'<');
            address = open < 0 ? [] : text[(open + 1)..^1];
        }

        var at = address.LastIndexOf((byte)'@');
        return at > 0 && address.Length <= CandidateMax && IsDomain(address[(at + 1)..]) && IsLocalPart(address[..at]);
    }

    /// <summary>Eight fields split from the right, since a quoted local part may hold a bar; the five that are numbers must be.</summary>
    public static bool TryMeta(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> address)
    {
        address = default;
        if (text.Length > CandidateMax || text.Count((byte)'|') < FieldSeparators)
        {
            return false;
        }

        var rest = text;
        for (var field = FieldSeparators + 1; field > 1; field--)
        {
            var bar = rest.LastIndexOf((byte)'|');
            if (field is not (8 or 6) && !IsInteger(rest[(bar + 1)..]))
            {
                return false;
            }

            rest = rest[..bar];
        }

        return TryAddress(rest, out address);
    }

    public static bool SameAddress(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Ascii.EqualsIgnoreCase(one, other)
        || string.Equals(Encoding.UTF8.GetString(one), Encoding.UTF8.GetString(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>Says what was left unfilled: <c>$$</c> before a letter, or <c>{{</c>. Null when nothing was.</summary>
    public static string? Leftover(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("{{"u8) is >= 0 and var braces)
        {
            return $"'{{{{' is left at byte {braces}";
        }

        for (var start = 0; text[start..].IndexOf("$$"u8) is >= 0 and var found; start += found + 1)
        {
            var name = text[(start + found + 2)..];
            if (!name.IsEmpty && char.IsAsciiLetter((char)name[0]))
            {
                var end = name.IndexOfAnyExcept(NameLetters);
                var shown = name[..Math.Min(end < 0 ? name.Length : end, 64)];
                return $"'$${Encoding.UTF8.GetString(shown)}' is left at byte {start + found}";
            }
        }

        return null;
    }

    private static bool IsInteger(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long _, out var used) && used == text.Length;

    private static bool IsDomain(ReadOnlySpan<byte> domain)
    {
        foreach (var letter in domain)
        {
            if (letter < 0x80 && !char.IsAsciiLetterOrDigit((char)letter) && letter is not ((byte)'.' or (byte)'-' or (byte)'[' or (byte)']' or (byte)':'))
            {
                return false;
            }
        }

        return domain.Length > 0;
    }

    private static bool IsLocalPart(ReadOnlySpan<byte> local)
    {
        if (local.Length > 1 && local[0] == '"' && local[^1] == '"')
        {
            return true;
        }

        foreach (var letter in local)
        {
            if (letter <= ' ' || letter is (byte)'@' or (byte)',' or (byte)';' or (byte)'<' or (byte)'>' or (byte)'"' or 0x7F)
            {
                return false;
            }
        }

        return true;
    }
}
