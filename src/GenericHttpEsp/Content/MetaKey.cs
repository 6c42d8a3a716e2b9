using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace GenericHttpEsp.Content;

/// <summary>A key that signs meta strings and message tokens.</summary>
/// <param name="Id">One letter or digit, written before the MAC.</param>
/// <param name="Secret">At least 16 random bytes.</param>
internal sealed record MetaKey(char Id, byte[] Secret);

/// <summary>All keys that ever signed: the first signs now, each verifies for ever.</summary>
internal sealed class MetaKeyRing
{
    /// <summary>SHA-256 truncated to 128 bits.</summary>
    internal const int MacBytes = 16;
    internal const int MacCharacters = 22;

    private readonly Dictionary<char, MetaKey> _keys;

    public MetaKeyRing(IReadOnlyList<MetaKey> keys)
    {
        ArgumentOutOfRangeException.ThrowIfZero(keys.Count);
        if (keys.Any(key => !char.IsAsciiLetterOrDigit(key.Id) || key.Secret.Length < 16))
        {
            throw new ArgumentException("A key's id is one letter or digit and its secret has at least 16 bytes.", nameof(keys));
        }
        _keys = keys.ToDictionary(key => key.Id);
        Current = keys[0];
    }

    public MetaKey Current { get; }

    internal static void Sign(MetaKey key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Secret, message, whole);
        whole[..MacBytes].CopyTo(mac);
    }

    internal bool Verify(char keyId, ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac)
    {
        if (mac.Length != MacBytes || !_keys.TryGetValue(keyId, out var key))
        {
            return false;
        }
        Span<byte> expected = stackalloc byte[MacBytes];
        Sign(key, message, expected);
        return CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    /// <summary>Exactly <paramref name="bytes"/> in canonical base64url: another spelling of the same bytes would be a second name for one message.</summary>
    internal static bool TryDecode(ReadOnlySpan<byte> base64Url, Span<byte> bytes, out int written)
    {
        Span<byte> again = stackalloc byte[Base64Url.GetEncodedLength(bytes.Length)];
        return Base64Url.DecodeFromUtf8(base64Url, bytes, out _, out written) == OperationStatus.Done
            && Base64Url.EncodeToUtf8(bytes[..written], again, out _, out var length) == OperationStatus.Done
            && again[..length].SequenceEqual(base64Url);
    }
}
