using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Dispatch;

/// <summary>An answer that came before the whole request was sent, in a connection that is of no more use.</summary>
internal sealed record EarlyAnswer(int Status, string? RetryAfter, ReadOnlyMemory<byte> Body)
{
    private static readonly int[] Informational = [100, 102, 103];

    /// <summary>The status in the first bytes of an answer; null when they are too few or not HTTP. 1xx heads are passed over.</summary>
    public static int? StatusOf(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 12 && bytes.StartsWith("HTTP/1."u8))
        {
            if (!int.TryParse(bytes.Slice(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                return null;
            }

            if (!Informational.Contains(status))
            {
                return status;
            }

            var end = bytes.IndexOf("\r\n\r\n"u8);
            bytes = end < 0 ? [] : bytes[(end + 4)..];
        }

        return null;
    }

    /// <summary>True when nothing more is expected.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> bytes) => Parse(bytes.ToArray()) is { } parsed
        && parsed.Length is { } length
        && parsed.Answer.Body.Length >= length;

    public static EarlyAnswer? From(ReadOnlyMemory<byte> bytes) => Parse(bytes)?.Answer;

    private static (EarlyAnswer Answer, long? Length)? Parse(ReadOnlyMemory<byte> bytes)
    {
        if (StatusOf(bytes.Span) is not { } status)
        {
            return null;
        }

        while (StatusOf(bytes.Span[..Math.Min(12, bytes.Length)]) is null)
        {
            bytes = bytes[(bytes.Span.IndexOf("\r\n\r\n"u8) + 4)..];
        }

        var end = bytes.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return (new EarlyAnswer(status, null, default), null);
        }

        var lines = Encoding.Latin1.GetString(bytes.Span[..end]).Split("\r\n");
        long? length = long.TryParse(Header(lines, "Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
        return (new EarlyAnswer(status, Header(lines, "Retry-After"), bytes[(end + 4)..]), length);
    }

    private static string? Header(string[] lines, string name) => lines
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .FirstOrDefault();
}

/// <summary>Ends the writing of a request whose answer is here already.</summary>
internal sealed class EarlyAnswerException(EarlyAnswer answer) : IOException("The answer came before the whole request was sent.")
{
    public EarlyAnswer Answer => answer;
}
