using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>
/// Tokens of callback URLs, base62: nine characters of the provider's id, so that no index is needed to find its owner, and 22 random ones (131 bits).
/// </summary>
internal static class CallbackTokens
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int IdLength = 9;
    private const int RandomLength = 22;

    // Ids stay below 2^53, which nine digits hold.
    private const long IdMax = (1L << 53) - 1;

    public static string New(long providerId)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(providerId, IdMax);
        var id = string.Create(IdLength, providerId, static (text, value) =>
        {
            for (var i = text.Length - 1; i >= 0; i--)
            {
                text[i] = Base62[(int)(value % Base62.Length)];
                value /= Base62.Length;
            }
        });
        return id + RandomNumberGenerator.GetString(Base62, RandomLength);
    }

    /// <summary>Whose token it would be, if it were one; null when it can be none.</summary>
    public static long? ProviderOf(string token)
    {
        if (token.Length != IdLength + RandomLength || !token.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }

        var id = 0L;
        foreach (var digit in token.AsSpan(0, IdLength))
        {
            id = (id * Base62.Length) + Base62.IndexOf(digit, StringComparison.Ordinal);
        }

        return id is > 0 and <= IdMax ? id : null;
    }

    /// <summary>Compares with each, so that the time tells nothing.</summary>
    public static bool IsAmong(string token, IReadOnlyList<byte[]> valid)
    {
        var bytes = Encoding.ASCII.GetBytes(token);
        var found = false;
        foreach (var one in valid)
        {
            found |= CryptographicOperations.FixedTimeEquals(one, bytes);
        }

        return found;
    }
}
