using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace GenericHttpEsp.Content;

/// <summary>
/// The meta without the address, at most 64 characters of base64url: fits every ESP's field, stands in unsubscribe links. Bytes: version,
/// key id, campaign, run, date (days since 2000-01-01), recipient, variant (nothing for the default), 16-byte MAC over all before it.
/// </summary>
internal sealed record MessageToken(long Campaign, int Run, DateOnly RunDate, long Recipient, string Variant)
{
    public const int CharactersMax = 64;
    internal const int BytesMax = 48;
    private const byte Version = 1;
    private static readonly DateOnly Epoch = new(2000, 1, 1);

    /// <summary>How many UTF-8 bytes of a variant always fit, whatever the recipient's id.</summary>
    public static int VariantBytesMax(long campaign, int run)
    {
        Span<byte> ids = stackalloc byte[20];
        return BytesMax - MetaKeyRing.MacBytes - 2 - WriteVarint((ulong)campaign, ids) - WriteVarint((ulong)run, ids) - 2 - 10;
    }

    public string Format(MetaKey key)
    {
        using var buffer = new Utf8Buffer();
        Write(Prefix(Campaign, Run, RunDate), Recipient, VariantBytes(Variant), key, buffer);
        return Encoding.ASCII.GetString(buffer.WrittenSpan);
    }

    /// <summary>Null when it is no token or its MAC is wrong: there are no unsigned ones.</summary>
    public static MessageToken? Parse(string text, MetaKeyRing keys)
    {
        if (text.Length is 0 or > CharactersMax || !Ascii.IsValid(text))
        {
            return null;
        }
        Span<byte> room = stackalloc byte[BytesMax];
        if (!MetaKeyRing.TryDecode(Encoding.ASCII.GetBytes(text), room, out var length) || length < MetaKeyRing.MacBytes + 2)
        {
            return null;
        }
        var signed = room[..(length - MetaKeyRing.MacBytes)];
        return signed[0] == Version && keys.Verify((char)signed[1], signed, room[signed.Length..length]) ? Read(signed[2..]) : null;
    }

    /// <summary>Campaign, run and date: the same for a whole run.</summary>
    internal static byte[] Prefix(long campaign, int run, DateOnly runDate)
    {
        Span<byte> bytes = stackalloc byte[24];
        var length = WriteVarint((ulong)campaign, bytes);
        length += WriteVarint((ulong)run, bytes[length..]);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[length..], checked((ushort)(runDate.DayNumber - Epoch.DayNumber)));
        return bytes[..(length + 2)].ToArray();
    }

    internal static byte[] VariantBytes(string variant) => variant == MessageMeta.DefaultVariant ? [] : Encoding.UTF8.GetBytes(variant);

    /// <summary>Appends the token without allocation.</summary>
    internal static void Write(ReadOnlySpan<byte> prefix, long recipient, ReadOnlySpan<byte> variant, MetaKey key, Utf8Buffer output)
    {
        Span<byte> bytes = stackalloc byte[BytesMax];
        bytes[0] = Version;
        bytes[1] = (byte)key.Id;
        prefix.CopyTo(bytes[2..]);
        var length = 2 + prefix.Length;
        length += WriteVarint((ulong)((recipient << 1) ^ (recipient >> 63)), bytes[length..]);
        variant.CopyTo(bytes[length..]);
        length += variant.Length;
        MetaKeyRing.Sign(key, bytes[..length], bytes[length..]);
        Base64Url.EncodeToUtf8(bytes[..(length + MetaKeyRing.MacBytes)], output.GetSpan(CharactersMax), out _, out var written);
        output.Advance(written);
    }

    private static MessageToken? Read(ReadOnlySpan<byte> bytes)
    {
        if (!ReadVarint(ref bytes, out var campaign) || !ReadVarint(ref bytes, out var run) || bytes.Length < 2)
        {
            return null;
        }
        var date = Epoch.AddDays(BinaryPrimitives.ReadUInt16BigEndian(bytes));
        bytes = bytes[2..];
        if (!ReadVarint(ref bytes, out var zigzag))
        {
            return null;
        }
        var recipient = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        return new((long)campaign, (int)run, date, recipient, bytes.IsEmpty ? MessageMeta.DefaultVariant : Encoding.UTF8.GetString(bytes));
    }

    private static int WriteVarint(ulong value, Span<byte> bytes)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[length++] = (byte)(value | 0x80);
        }
        bytes[length++] = (byte)value;
        return length;
    }

    private static bool ReadVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var index = 0; index < bytes.Length && index < 10; index++)
        {
            value |= (ulong)(bytes[index] & 0x7f) << (7 * index);
            if (bytes[index] < 0x80)
            {
                bytes = bytes[(index + 1)..];
                return true;
            }
        }
        return false;
    }
}
