using System.Buffers.Text;
using System.Text;

namespace GenericHttpEsp.Tests.Api;

/// <summary>Values for what stands in paths and queries, and the statuses that are right for them.</summary>
internal static class HostilePaths
{
    private static readonly string[] Ids =
        ["0", "-1", "9007199254740992", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "abc", "1.5", "1e3", "0x1",
            "%00", "%EF%BC%91", "1%2F2", "%27%20or%201=1--", "..%2F1", "%ED%A0%80", "NaN", new('9', 4000)];

    private static readonly string[] Addresses =
        ["nobody", "%20", "a@", "@b.example", "a@b@c.example", "a%0D%0ABcc:x@b.example", "a%09b@c.example", "a@b.example.", "a@%EF%BC%8C.example",
            "%E2%80%AEa@b.example", "a%EF%BF%BDb@c.example", "%3Ca@b.example%3E", "A%20%3Ca@b.example%3E", "a@b.example,c@d.example", "%00@b.example", "a@%00",
            "a@xn--a.example", new string('a', 65) + "@b.example", "a@" + new string('b', 250) + ".example", new string('a', 5000) + "@b.example"];

    private static readonly string[] OddAddresses =
        ["%22a%7Cb%22@x.example", "%22a%20b%22@x.example", "ANN@X.EXAMPLE", "jo@b%C3%BCcher.example", "o'neil+x=1@x.example", "a%2Fb@x.example", "%CE%B1@%CE%B2.example",
            "a%7Cb@x.example", "user@[192.0.2.1]", "=1+1@x.example", new string('a', 64) + "@b.example"];

    private static readonly string[] Names = ["..%2F..", "%2F%2F", "%27;drop%20table%20lists", "%ED%A0%80", "%EF%BF%BD", "%C3%BC", "%0D%0A", new('x', 3000)];

    private static readonly string[] Tokens = ["x", "%00", "..%2F..%2Fv1", "%ED%A0%80", "%F0%9F%98%80", new('A', 31), new('A', 64), new('A', 65), new('0', 5000), "%2527", "-_-_"];

    /// <returns>Value, and the statuses that are right: what is no address is told, what names nothing is not found.</returns>
    public static IEnumerable<(string Value, int[] Statuses)> Of(HostileRoute route, string parameter) => parameter switch
    {
        "id" => Ids.Select(static id => (id, (int[])[400, 404])),
        "email" => [
            .. Addresses.Select(static address => (address, (int[])[400, 422])),
            // Erasing somebody who was never there is done at once; being put or unsubscribed, they come into being.
            .. OddAddresses.Select(address => (address, route.Method == "GET" ? (int[])[404] : [200, 201, 204])),
        ],
        "name" => Names.Select(static name => (name, (int[])[400, 404, 422])),
        "token" => Tokens.Select(static token => (token, (int[])[400, 404])),
        "documentName" => ((string[])["v2", "..%2Fv1", "%00", "V1x"]).Select(static name => (name, (int[])[400, 404])),
        _ => throw new InvalidOperationException($"Say in HostilePaths what hostile values {{{parameter}}} gets."),
    };

    /// <returns>Value as it stands in the URL, and the statuses that are right.</returns>
    public static IEnumerable<(string Value, int[] Statuses)> OfQuery(string name) => name switch
    {
        "cursor" => Garbage.Concat([Encoded("-1"), Encoded("9223372036854775808"), Encoded("1.2.3.4"), Encoded("1."), Encoded("1 "), Encoded("\0")]).Select(Refused),
        "limit" => Garbage.Concat(["0", "-1", "501", "1000000000", "1e9", "NaN", "1.0", "%2B5", "%205", "%D9%A3", "5&limit=6"]).Select(Refused),
        "campaignId" => Garbage.Concat(["0", "-1", "NaN", "1.5", "9223372036854775808"]).Select(Refused),
        "status" or "outcome" => Garbage.Concat(["deleted", "ACTIVE", "7"]).Select(Refused),
        // A list that is not there has nobody on it; one that cannot be is told.
        "list" => Garbage.Select(static value => (value, (int[])[200, 422])),
        _ => throw new InvalidOperationException($"Say in HostilePaths what hostile values ?{name}= gets."),
    };

    private static readonly string[] Garbage =
        ["%00", "a%00b", "!!!", "%27%20or%20%271%27=%271", "%ED%A0%80", "%F0%9F%98%80", "..%2F..", "%25s%25n", "%0D%0ASet-Cookie:x", new('A', 33), new('x', 3000)];

    private static (string Value, int[] Statuses) Refused(string value) => (value, [400, 422]);

    private static string Encoded(string text) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(text));
}
