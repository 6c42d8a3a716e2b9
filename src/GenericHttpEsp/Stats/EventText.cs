using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>
/// A description as it is kept: addresses in it replaced, so that an erased person is not named and the same trouble of many people is one reason; bounded.
/// The hash is of the whole text before the bound.
/// </summary>
internal readonly record struct EventText(string Text, long Hash)
{
    public const int CharactersMax = 500;

    public static EventText Empty { get; } = new("", 0);

    public static EventText Of(string? description)
    {
        if (string.IsNullOrEmpty(description))
        {
            return Empty;
        }

        var text = AddressMask.Apply(description.Replace('\0', ' '));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return new EventText(ShortText.Cut(text, CharactersMax), BinaryPrimitives.ReadInt64BigEndian(hash));
    }
}
