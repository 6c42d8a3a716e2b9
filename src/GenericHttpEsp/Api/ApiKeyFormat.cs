using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Api;

/// <summary>
/// <c>ghe_</c>, 32 random base62 characters (190 bits), 6 of a CRC-32: secret scanners recognise it without false alarms, and a mistyped key never
/// reaches the database.
/// </summary>
internal static class ApiKeyFormat
{
    public const string Prefix = "ghe_";
    public const int LengthMin = 32;
    public const int LengthMax = 128;
    private const int RandomLength = 32;
    private const int ChecksumLength = 6;
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New()
    {
        var random = RandomNumberGenerator.GetString(Base62, RandomLength);
        return Prefix + random + Checksum(random);
    }

    /// <summary>False for what can be no key of ours. Keys that the operator chose (<c>Api:BootstrapKey</c>) have no prefix and no checksum.</summary>
    public static bool IsPlausible(string key)
    {
        if (key.Length is < LengthMin or > LengthMax || !key.All(static c => c is > ' ' and < '\x7f'))
        {
            return false;
        }

        return !key.StartsWith(Prefix, StringComparison.Ordinal)
            || (key.Length == Prefix.Length + RandomLength + ChecksumLength
                && key.EndsWith(Checksum(key.Substring(Prefix.Length, RandomLength)), StringComparison.Ordinal));
    }

    /// <summary>What is stored. A fast hash is right for 190 random bits; there is nothing to guess.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string Checksum(string random)
    {
        var rest = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(random));
        return string.Create(ChecksumLength, rest, static (text, value) =>
        {
            for (var i = text.Length - 1; i >= 0; i--)
            {
                text[i] = Base62[(int)(value % 62)];
                value /= 62;
            }
        });
    }
}
