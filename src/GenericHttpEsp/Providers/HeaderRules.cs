using System.Buffers;
using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>Names by the token grammar of RFC 9110, values without controls; nothing that belongs to the connection. TryAddWithoutValidation would let CR and LF on to the wire.</summary>
internal static class HeaderRules
{
    public const int HeadersMax = 50;
    public const int NameCharactersMax = 256;
    public const int ValueCharactersMax = 8 * 1024;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly HashSet<string> Forbidden = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
        "Proxy-Authorization", "TE", "Trailer", "Upgrade", "Expect", "Content-Encoding", "HTTP2-Settings",
    };

    public static void Check(ProviderContract provider, TemplateProblems problems)
    {
        var headers = provider.Headers ?? [];
        if (headers.Count > HeadersMax)
        {
            problems.Add("/headers", $"At most {HeadersMax} headers.");
        }
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var index = 0; index < headers.Count; index++)
        {
            Name(headers[index].Name, $"/headers/{index}/name", seen, problems);
            Value(headers[index].Value, $"/headers/{index}/value", problems);
        }
        if (provider.Authentication?.Type == "basic" && seen.Contains("Authorization"))
        {
            problems.Add("/authentication/type", "There is an Authorization header too: keep one of the two.");
        }
    }

    /// <summary>Visible ASCII, space, tab and 0x80 to 0xff.</summary>
    public static bool IsValue(ReadOnlySpan<char> value)
    {
        foreach (var letter in value)
        {
            if (!(letter is '\t' or (>= ' ' and <= '~') or (>= '\u0080' and <= '\u00ff')))
            {
                return false;
            }
        }
        return true;
    }

    private static void Name(string? name, string pointer, HashSet<string> seen, TemplateProblems problems)
    {
        if (string.IsNullOrEmpty(name) || name.Length > NameCharactersMax || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            problems.Add(pointer, $"A header's name has letters, digits and - (RFC 9110 token), nothing else, at most {NameCharactersMax}.");
        }
        else if (Forbidden.Contains(name))
        {
            problems.Add(pointer, $"{name} belongs to the connection and is set by the system: leave it out.");
        }
        else if (!seen.Add(name))
        {
            problems.Add(pointer, $"{name} is there twice.");
        }
    }

    private static void Value(string? value, string pointer, TemplateProblems problems)
    {
        if (value is null)
        {
            problems.Add(pointer, "The value is missing (it may be empty).");
        }
        else if (value.Length > ValueCharactersMax)
        {
            problems.Add(pointer, $"A header's value has at most {ValueCharactersMax} characters.");
        }
        else if (!IsValue(value))
        {
            var at = value.EnumerateRunes().First(rune => rune == Rune.ReplacementChar || !IsValue(rune.ToString()));
            problems.Add(pointer, $"A header's value cannot hold U+{at.Value:X4}: only visible Latin characters, space and tab.");
        }
    }
}
