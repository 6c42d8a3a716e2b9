using System.Collections.Frozen;

namespace GenericHttpEsp.Sandbox;

/// <summary>What the name of a field promises, whatever the ESP's taste in spelling: <c>To</c>, <c>to_address</c>, <c>X-Meta</c>, <c>v:meta</c>.</summary>
internal enum SandboxKeyKind
{
    Other,
    Address,
    MessageId,

    /// <summary>Addresses below it are not the recipient's.</summary>
    NotRecipient,
}

internal static class SandboxKeys
{
    private const int LengthMax = 32;

    private static readonly FrozenDictionary<string, SandboxKeyKind>.AlternateLookup<ReadOnlySpan<char>> Known = new[]
    {
        (SandboxKeyKind.Address, "to email emailaddress recipient recipients rcpt rcptto address addr toaddress toaddresses toemail emailto mail "
            + "recipientemail recipientaddress destination sendto receiver"),
        (SandboxKeyKind.MessageId, "mid meta messageid msgid customid eventpayload xmailincustom xmeta tags tokento postback vmeta "
            + "messagetoken metatoken xmessageid"),
        (SandboxKeyKind.NotRecipient, "cc bcc name toname returnpath errorsto"),
    }
    .SelectMany(group => group.Item2.Split(' '), (group, name) => KeyValuePair.Create(name, group.Item1))
    .ToFrozenDictionary()
    .GetAlternateLookup<ReadOnlySpan<char>>();

    public static SandboxKeyKind KindOf(ReadOnlySpan<byte> name)
    {
        Span<char> plain = stackalloc char[LengthMax];
        var length = 0;
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)letter))
            {
                continue;
            }

            if (length == LengthMax)
            {
                return SandboxKeyKind.Other;
            }

            plain[length++] = char.ToLowerInvariant((char)letter);
        }

        plain = plain[..length];
        return plain.StartsWith("from") || plain.StartsWith("sender") || plain.StartsWith("reply")
            ? SandboxKeyKind.NotRecipient
            : Known.TryGetValue(plain, out var kind) ? kind : SandboxKeyKind.Other;
    }
}
