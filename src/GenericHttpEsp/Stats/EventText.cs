using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Stats;

/// <summary>
/// A description as it is kept: addresses in it replaced, so that an erased person is not named and the same trouble of many people is one reason; bounded.
/// The hash is of the whole text before the bound.
/// </summary>
internal readonly record struct EventText(string Text, long Hash)
{
    public const int CharactersMax = 500;
    private const string Instead = "(address)";
    private static readonly SearchValues<char> Separators = SearchValues.Create(" \t\r\n<>()[]{}\"',;:=&?/|\\");

    public static EventText Empty { get; } = new("", 0);

    public static EventText Of(string? description)
    {
        if (string.IsNullOrEmpty(description))
        {
            return Empty;
        }

        var text = WithoutAddresses(description.Replace('\0', ' '));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return new EventText(Bounded(text), BinaryPrimitives.ReadInt64BigEndian(hash));
    }

    private static string Bounded(string text) => text.Length <= CharactersMax
        ? text
        : text[..(char.IsHighSurrogate(text[CharactersMax - 1]) ? CharactersMax - 1 : CharactersMax)];

    /// <summary>Whatever stands around an at sign, plain or percent-encoded, up to the next separator.</summary>
    private static string WithoutAddresses(string text)
    {
        if (!text.Contains('@', StringComparison.Ordinal) && !text.Contains("%40", StringComparison.Ordinal))
        {
            return text;
        }

        var kept = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var length = text.AsSpan(at).IndexOfAny(Separators);
            var word = text.AsSpan(at, length < 0 ? text.Length - at : length);
            kept.Append(word.Contains('@') || word.Contains("%40", StringComparison.Ordinal) ? Instead : word);
            at += word.Length;
            if (at < text.Length)
            {
                kept.Append(text[at++]);
            }
        }

        return kept.ToString();
    }
}
