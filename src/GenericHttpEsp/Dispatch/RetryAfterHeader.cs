using System.Globalization;

namespace GenericHttpEsp.Dispatch;

/// <summary><c>Retry-After</c> (RFC 9110, 10.2.3): seconds or a date.</summary>
internal static class RetryAfterHeader
{
    /// <summary>Time to wait from <paramref name="now"/>, at least zero; null when absent or unreadable.</summary>
    public static TimeSpan? Parse(string? value, DateTimeOffset now)
    {
        if (value?.Trim() is not { Length: > 0 } text)
        {
            return null;
        }

        if (text.All(char.IsAsciiDigit))
        {
            // Ten digits are more than 30 years: whoever reads clamps it.
            return TimeSpan.FromSeconds(text.Length > 9 ? 999_999_999 : int.Parse(text, CultureInfo.InvariantCulture));
        }

        return DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date > now ? date - now : TimeSpan.Zero
            : null;
    }
}
