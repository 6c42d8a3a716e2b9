using Microsoft.AspNetCore.Http.Features;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// The address in <c>/v1/recipients/{email}</c>. Read from the path as it was sent: routing leaves <c>%2F</c> as it is, so a slash in an address and the
/// three characters %2F would look alike.
/// </summary>
internal static class EmailInPath
{
    private const string Prefix = "/v1/recipients/";

    public static EmailAddress? Read(HttpContext context, out string? reason)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var begin = target.IndexOf(Prefix, StringComparison.OrdinalIgnoreCase);
        var sent = begin < 0 ? "" : target[(begin + Prefix.Length)..];
        var end = sent.AsSpan().IndexOfAny('/', '?');
        return EmailAddress.Parse(Uri.UnescapeDataString(end < 0 ? sent : sent[..end]), out reason);
    }
}
