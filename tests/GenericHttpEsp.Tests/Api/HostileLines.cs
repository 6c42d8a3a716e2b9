using System.Text;

namespace GenericHttpEsp.Tests.Api;

/// <summary>Lines of imports that are wrong in ways a single document is not.</summary>
internal static class HostileLines
{
    public static IEnumerable<(string Name, byte[] Body)> All =>
    [
        ("100,000 empty lines", Encoding.UTF8.GetBytes(new string('\n', 100_000))),
        ("10,000 broken lines", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\n", 10_000)))),
        ("no address", "{}\n{\"attributes\":{}}\n"u8.ToArray()),
        ("header injection", Encoding.UTF8.GetBytes("""{"email":"a@b.example\r\nBcc: c@d.example"}""")),
        ("NUL", [.. "a\0@b.example\n"u8]),
        ("underflow", Encoding.UTF8.GetBytes("""{"email":"tiny@example.com","attributes":{"n":1e-20000}}""")),
        ("overflow", Encoding.UTF8.GetBytes("""{"email":"huge@example.com","attributes":{"n":1e400}}""")),
        ("unknown member", Encoding.UTF8.GetBytes("""{"email":"x@example.com","subscription":{"status":"subscribed"}}""")),
        ("a quote that is not closed", Encoding.UTF8.GetBytes("\"" + new string('x', 300_000))),
        ("a line without end", Encoding.UTF8.GetBytes(new string('x', 1 << 20))),
        ("lone carriage returns", Encoding.UTF8.GetBytes(new string('\r', 50_000))),
    ];
}
