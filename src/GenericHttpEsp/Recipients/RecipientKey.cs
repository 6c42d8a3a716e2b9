using System.Security.Cryptography;
using System.Text;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// Who a recipient is, without the address: the first 16 bytes of HMAC-SHA256(address key of the installation, normalised address). Keyed, since plain
/// hashes of addresses can be guessed; a key and not an id, since it is the same again when an erased person is loaded again.
/// </summary>
internal sealed class RecipientKey(InstallationKeys keys)
{
    public const int Bytes = 16;

    public byte[] Of(EmailAddress address)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(keys.Address, Encoding.UTF8.GetBytes(address.Normalised), mac);
        return mac[..Bytes].ToArray();
    }

    /// <summary>The key of the recipient's grain: 32 lower-case hexadecimal digits.</summary>
    public static string Hex(byte[] key) => Convert.ToHexStringLower(key);
}
