using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>What an address of the provider has to look like. Where it may lead to is <see cref="IEndpointGuard"/>'s.</summary>
internal static class AddressRules
{
    public static void Check(string? address, string pointer, TemplateProblems problems)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            problems.Add(pointer, "The address is missing or not absolute; write https://host/path.");
        }
        else if (address.EnumerateRunes().Any(IsInvisible))
        {
            problems.Add(pointer, "The address holds white space or an invisible character: encode it as %20 and the like.");
        }
        else if (uri.UserInfo.Length > 0)
        {
            problems.Add(pointer, "User and password do not belong into the address: use authentication.");
        }
        else if (address!.Contains("$$", StringComparison.Ordinal) || address.Contains("{{", StringComparison.Ordinal))
        {
            problems.Add(pointer, "The address holds no placeholders: use parameters or headers.");
        }
        else if (uri.Fragment.Length > 0)
        {
            problems.Add(pointer, "The part after # is never sent: leave it out.");
        }
    }

    // Uri drops or encodes them; people and other programs read on at another place.
    private static bool IsInvisible(Rune rune) => Rune.IsWhiteSpace(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
