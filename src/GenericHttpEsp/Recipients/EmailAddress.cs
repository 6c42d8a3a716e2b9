using System.Globalization;
using System.Net.Mail;
using System.Text;

namespace GenericHttpEsp.Recipients;

/// <summary>An address in two forms: as somebody gave it (trimmed, NFC), and normalised, the only form that is compared.</summary>
internal sealed record EmailAddress(string Given, string Normalised)
{
    /// <summary>Octets of a path without its angle brackets, and of the part before the at sign (RFC 5321, 4.5.3.1).</summary>
    public const int BytesMax = 254;
    public const int LocalBytesMax = 64;

    private static readonly IdnMapping Domains = new() { AllowUnassigned = false };

    /// <summary>The parts are bounded before anything looks at them twice, so the work is linear in a bounded length.</summary>
    /// <param name="text">What a caller gave; may be anything.</param>
    /// <param name="reason">What is wrong, when the answer is null.</param>
    public static EmailAddress? Parse(string? text, out string? reason)
    {
        var trimmed = text?.Trim() ?? "";
        reason = trimmed.Length switch
        {
            0 => "The address is missing.",
            > BytesMax => $"The address is longer than {BytesMax} bytes.",
            _ => trimmed.EnumerateRunes().Any(IsForbidden) ? "The address holds a control, invisible or broken character." : null,
        };
        return reason is null ? Split(trimmed.Normalize(NormalizationForm.FormC), out reason) : null;
    }

    private static EmailAddress? Split(string given, out string? reason)
    {
        reason = "The address is not local-part@domain.";
        // TryCreate takes display names, comments and folded white space too: what it read must be all there is.
        if (!MailAddress.TryCreate(given, out var parsed) || parsed.Address != given || !TryDomain(parsed.Host, out var domain))
        {
            return null;
        }

        if (Encoding.UTF8.GetByteCount(parsed.User) > LocalBytesMax)
        {
            reason = $"The part before the at sign is longer than {LocalBytesMax} bytes.";
            return null;
        }

        // Lower case can undo NFC (a capital with a combining mark may have a composed small letter only).
        var normalised = $"{parsed.User.ToLowerInvariant().Normalize(NormalizationForm.FormC)}@{domain}";
        if (normalised.Length > BytesMax || Encoding.UTF8.GetByteCount(given) > BytesMax)
        {
            reason = $"The address is longer than {BytesMax} bytes.";
            return null;
        }

        reason = null;
        return new EmailAddress(given, normalised);
    }

    /// <summary>Domain to A-labels (UTS 46). A literal such as <c>[192.0.2.1]</c> stays as it is.</summary>
    private static bool TryDomain(string host, out string domain)
    {
        domain = host.ToLowerInvariant();
        if (host.StartsWith('['))
        {
            return host.EndsWith(']');
        }

        try
        {
            // Wide forms of commas and quotes map to ASCII ones; a dot at the end would be a second key for one mailbox.
            domain = Domains.GetAscii(host).ToLowerInvariant();
            return !domain.EndsWith('.') && domain.All(static character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool IsForbidden(Rune rune) =>
        rune == Rune.ReplacementChar
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
