using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Takes addresses out of words of others before they are stored: an ESP quotes them ("550 &lt;a@b&gt; unknown"), and an erased person must not stand in a
/// batch's answer, a campaign's reason or an event's description.
/// </summary>
internal static partial class AddressMask
{
    private const string Instead = "(address)";
    private static readonly SearchValues<char> Separators = SearchValues.Create(" \t\r\n<>()[]{}\"',;:=&?/|\\");
    private static readonly SearchValues<string> Signs = SearchValues.Create(["@", "%40", "%2540", "\uFF20", "\uFE6B"], StringComparison.Ordinal);

    /// <summary>Whatever stands around an at sign, plain or encoded, up to the next separator, becomes <c>(address)</c>.</summary>
    public static string Apply(string text)
    {
        text = Escaped().Replace(text, "@");
        if (text.AsSpan().IndexOfAny(Signs) < 0)
        {
            return text;
        }

        var kept = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var length = text.AsSpan(at).IndexOfAny(Separators);
            var word = text.AsSpan(at, length < 0 ? text.Length - at : length);
            kept.Append(word.IndexOfAny(Signs) >= 0 ? Instead : word);
            at += word.Length;
            if (at < text.Length)
            {
                kept.Append(text[at++]);
            }
        }

        return kept.ToString();
    }

    /// <summary>The at sign as JSON and HTML escape it: those would be parted by the separators.</summary>
    [GeneratedRegex(@"\\u0040|&#0*64;|&#x0*40;|&commat;", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Escaped();
}
