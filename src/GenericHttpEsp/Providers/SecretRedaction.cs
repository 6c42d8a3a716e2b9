using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Takes our secrets out of texts that an ESP may have copied them into.</summary>
internal static class SecretRedaction
{
    // Shorter ones occur in any text; masking those would tell them.
    private const int LengthMin = 4;
    private static readonly ConditionalWeakTable<ProviderContract, string[]> Known = [];

    public static string Redact(string text, ProviderContract provider)
    {
        foreach (var secret in Known.GetValue(provider, Spellings))
        {
            text = text.Replace(secret, SecretMask.Stars, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>The longest first: a mask put inside a longer secret would let the rest of that one stand.</summary>
    private static string[] Spellings(ProviderContract provider) =>
        [.. Secrets(provider).SelectMany(Encoded).Where(spelling => spelling.Length >= LengthMin).Distinct().OrderByDescending(spelling => spelling.Length)];

    private static IEnumerable<string> Secrets(ProviderContract provider)
    {
        foreach (var member in ProviderSecrets.Of(provider))
        {
            var secret = (member.Value ?? "").Replace("$$$$", "$$", StringComparison.Ordinal);
            yield return secret;
            // A header may hold a scheme such as Bearer before its secret.
            yield return secret[(secret.LastIndexOf(' ') + 1)..];
            if (member.Pointer == "/endpoint")
            {
                yield return Uri.UnescapeDataString(secret);
            }
        }

        if (provider.Authentication is { Type: "basic" } basic)
        {
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.Username}:{basic.Password}"));
        }
    }

    /// <summary>As it stands in a URL, a form, JSON, XML or a page of an error.</summary>
    private static IEnumerable<string> Encoded(string secret) =>
    [
        secret, WebUtility.HtmlEncode(secret), Escaped(secret, ValuePlace.QueryComponent), Escaped(secret, ValuePlace.FormValue),
        Escaped(secret, ValuePlace.JsonString), Escaped(secret, ValuePlace.XmlAttribute), Uri.EscapeDataString(secret),
    ];

    private static string Escaped(string secret, ValuePlace place)
    {
        using var buffer = new Utf8Buffer();
        PlaceEscaper.Write(secret.AsSpan(), place, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
