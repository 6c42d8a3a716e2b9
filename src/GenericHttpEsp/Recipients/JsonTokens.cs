using System.Text.Json;
using System.Text.Unicode;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Recipients;

/// <summary>What the JSON parser lets through and a database or an ESP does not: broken UTF-8, lone surrogates, NUL, endless numbers.</summary>
internal static class JsonTokens
{
    /// <returns>What is wrong, or null.</returns>
    /// <exception cref="JsonException">Not JSON, or too deep.</exception>
    public static string? Problem(ReadOnlySpan<byte> utf8, int depthMax)
    {
        if (!Utf8.IsValid(utf8))
        {
            return "Not valid UTF-8.";
        }

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = depthMax });
        while (reader.Read())
        {
            // One that a filter's cast to double refuses would fail every audience on PostgreSQL, not only this recipient.
            if (reader.TokenType == JsonTokenType.Number && !BodyText.IsStorable(reader.ValueSpan, RecipientLimits.NumberBytesMax))
            {
                return $"A number is not finite, too small, or longer than {RecipientLimits.NumberBytesMax} characters.";
            }

            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped && IsBroken(ref reader))
            {
                return "A text holds NUL or half of a surrogate pair.";
            }
        }

        return null;
    }

    private static bool IsBroken(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!.Contains('\0', StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            // How the reader reports half of a surrogate pair.
            return true;
        }
    }
}
