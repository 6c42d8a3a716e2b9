using System.Text;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// Form bodies and queries. Repeated address fields are a batch; message ids pair with them by position, or come keyed by address in
/// Mailgun's <c>recipient-variables</c>.
/// </summary>
internal static class SandboxFormBody
{
    private const int FieldsMax = 20_000;

    public static void Read(string form, SandboxPaths paths, bool refuseLeftovers, SandboxRecords into)
    {
        List<byte[]> addresses = [];
        List<byte[]> messageIds = [];
        Dictionary<string, string?>? byAddress = null;
        foreach (var field in form.Split('&', FieldsMax))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || field.Contains('&', StringComparison.Ordinal) || !TryDecode(field[..equals], out var key) || !TryDecode(field[(equals + 1)..], out var value))
            {
                into.Wrong(400, "not form-urlencoded: a field without '=', a broken '%', or too many fields");
                continue;
            }

            var text = Encoding.UTF8.GetBytes(value);
            if (refuseLeftovers && (SandboxText.Leftover(text) ?? SandboxText.Leftover(Encoding.UTF8.GetBytes(key))) is { } leftover)
            {
                into.Wrong(422, $"{leftover} of field '{key}'");
            }

            var name = Encoding.UTF8.GetBytes(LastName(key));
            var kind = SandboxKeys.KindOf(name);
            if (paths.Address?.EndsIn(name) ?? kind == SandboxKeyKind.Address)
            {
                addresses.Add(text);
            }
            else if (key == "recipient-variables")
            {
                byAddress = Variables(value, paths, into);
            }
            else if (paths.MessageId?.EndsIn(name) ?? (kind == SandboxKeyKind.MessageId || SandboxText.TryMeta(text, out _)))
            {
                messageIds.Add(text);
            }
        }

        if (byAddress is not null)
        {
            messageIds = [.. addresses.Select(address => Encoding.UTF8.GetBytes(IdFor(address, byAddress) ?? ""))];
        }

        Finish(addresses, messageIds, into);
    }

    /// <summary>Makes records of addresses and of message ids that pair by position; ids that do not pair belong to nobody.</summary>
    public static void Finish(List<byte[]> addresses, List<byte[]> messageIds, SandboxRecords into)
    {
        for (var at = 0; at < addresses.Count; at++)
        {
            if (SandboxText.TryAddress(addresses[at], out var address))
            {
                into.Add(address, messageIds.Count == addresses.Count ? messageIds[at] : []);
            }
            else
            {
                into.Wrong(422, addresses.Count == 1 ? "no address found" : $"record {at} has no address");
            }
        }

        if (addresses.Count == 0)
        {
            into.Wrong(422, "no address found");
        }
    }

    /// <summary>The innermost name of PHP-like keys: <c>msgs[0][to]</c> and <c>to[]</c> are both <c>to</c>.</summary>
    private static string LastName(string key) =>
        key.Split('[', ']').LastOrDefault(part => part.Length > 0 && !part.All(char.IsAsciiDigit)) ?? key;

    private static bool TryDecode(string text, out string decoded)
    {
        decoded = Uri.UnescapeDataString(text.Replace('+', ' '));
        for (var at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
            {
                return false;
            }
        }

        return true;
    }

    private static string? IdFor(byte[] text, Dictionary<string, string?> byAddress) =>
        SandboxText.TryAddress(text, out var address) ? byAddress.GetValueOrDefault(Encoding.UTF8.GetString(address)) : null;

    private static Dictionary<string, string?> Variables(string json, SandboxPaths paths, SandboxRecords into)
    {
        var found = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var recipient in document.RootElement.EnumerateObject())
            {
                var slot = new SandboxSlot();
                foreach (var variable in recipient.Value.EnumerateObject().Where(variable => variable.Value.ValueKind == JsonValueKind.String))
                {
                    var name = Encoding.UTF8.GetBytes(variable.Name);
                    var telling = paths.MessageId?.EndsIn(name) ?? SandboxKeys.KindOf(name) == SandboxKeyKind.MessageId;
                    slot.OfferMessageId(Encoding.UTF8.GetBytes(variable.Value.GetString()!), telling);
                }

                found[recipient.Name] = slot.MessageId.IsEmpty ? null : Encoding.UTF8.GetString(slot.MessageId);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            into.Wrong(400, $"recipient-variables is not an object of objects: {error.Message}");
        }

        return found;
    }
}
