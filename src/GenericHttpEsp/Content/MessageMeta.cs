using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Content;

/// <summary>What is known of field 8.</summary>
internal enum MetaSignature
{
    Valid,

    /// <summary>Field 8 is empty: a string that others made.</summary>
    Absent,

    /// <summary>Field 8 is there and wrong, or its key is unknown.</summary>
    Forged,
}

/// <summary>The specification's meta: eight fields parted by '|', the last a key-id character and 22 base64url characters of a MAC over fields 1 to 7 with their separators.</summary>
/// <param name="Email">Field 1; may itself hold '|' in a quoted local part.</param>
/// <param name="Account">Field 2.</param>
/// <param name="Campaign">Field 3.</param>
/// <param name="RunDate">Field 4, yyyymmdd, UTC.</param>
/// <param name="Run">Field 5, the number of the run.</param>
/// <param name="Variant">Field 6.</param>
/// <param name="Recipient">Field 7, the recipient's internal id.</param>
internal sealed record MessageMeta(string Email, long Account, long Campaign, DateOnly RunDate, int Run, string Variant, long Recipient)
{
    public const string DefaultVariant = "wzrk_default";
    public const int CharactersMax = 512;
    private const int FieldCount = 8;
    private const string DateFormat = "yyyyMMdd";

    public string Format(MetaKey key)
    {
        using var buffer = new Utf8Buffer();
        Write(Email, RunFields(Account, Campaign, RunDate, Run, Variant), Recipient, key, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Null when it is no meta at all.</summary>
    public static (MessageMeta Meta, MetaSignature Signature)? Parse(string text, MetaKeyRing keys)
    {
        Span<Range> fields = stackalloc Range[FieldCount];
        if (text.Length > CharactersMax || !SplitFromRight(text, fields))
        {
            return null;
        }
        var invariant = CultureInfo.InvariantCulture;
        if (!long.TryParse(text.AsSpan(fields[1]), NumberStyles.None, invariant, out var account)
            || !long.TryParse(text.AsSpan(fields[2]), NumberStyles.None, invariant, out var campaign)
            || !DateOnly.TryParseExact(text.AsSpan(fields[3]), DateFormat, invariant, DateTimeStyles.None, out var date)
            || !int.TryParse(text.AsSpan(fields[4]), NumberStyles.None, invariant, out var run)
            || !long.TryParse(text.AsSpan(fields[6]), NumberStyles.AllowLeadingSign, invariant, out var recipient)
            || fields[0].End.Value == 0)
        {
            return null;
        }
        var meta = new MessageMeta(text[fields[0]], account, campaign, date, run, text[fields[5]], recipient);
        return (meta, Verify(text, text.AsSpan(fields[7]), keys));
    }

    /// <summary>Fields 2 to 6 with the separators around them: the same for a whole run.</summary>
    internal static byte[] RunFields(long account, long campaign, DateOnly runDate, int run, string variant) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"|{account}|{campaign}|{runDate.ToString(DateFormat, CultureInfo.InvariantCulture)}|{run}|{variant}|"));

    /// <summary>Writes the signed string without allocation. The buffer is cleared first.</summary>
    internal static void Write(string email, ReadOnlySpan<byte> runFields, long recipient, MetaKey key, Utf8Buffer buffer)
    {
        buffer.Clear();
        PlaceEscaper.Write(email.AsSpan(), ValuePlace.PlainText, buffer);
        buffer.Write(runFields);
        recipient.TryFormat(buffer.GetSpan(20), out var digits, default, CultureInfo.InvariantCulture);
        buffer.Advance(digits);
        buffer.WriteByte((byte)'|');
        Span<byte> mac = stackalloc byte[MetaKeyRing.MacBytes];
        MetaKeyRing.Sign(key, buffer.WrittenSpan, mac);
        buffer.WriteByte((byte)key.Id);
        Base64Url.EncodeToUtf8(mac, buffer.GetSpan(MetaKeyRing.MacCharacters), out _, out var characters);
        buffer.Advance(characters);
    }

    private static bool SplitFromRight(ReadOnlySpan<char> text, Span<Range> fields)
    {
        var end = text.Length;
        for (var field = FieldCount - 1; field > 0; field--)
        {
            var separator = text[..end].LastIndexOf('|');
            if (separator < 0)
            {
                return false;
            }
            fields[field] = (separator + 1)..end;
            end = separator;
        }
        fields[0] = ..end;
        return true;
    }

    private static MetaSignature Verify(string text, ReadOnlySpan<char> field, MetaKeyRing keys)
    {
        if (field.IsEmpty)
        {
            return MetaSignature.Absent;
        }
        Span<byte> mac = stackalloc byte[MetaKeyRing.MacBytes];
        return field.Length == MetaKeyRing.MacCharacters + 1
            && Ascii.IsValid(field)
            && MetaKeyRing.TryDecode(Encoding.ASCII.GetBytes(field[1..].ToString()), mac, out var written)
            && keys.Verify(field[0], Encoding.UTF8.GetBytes(text[..^field.Length]), mac[..written])
            ? MetaSignature.Valid
            : MetaSignature.Forged;
    }
}
