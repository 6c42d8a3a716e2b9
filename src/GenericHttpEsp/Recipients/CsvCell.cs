using System.Globalization;
using System.Text.Json;

namespace GenericHttpEsp.Recipients;

/// <summary>What a column of a CSV import holds.</summary>
internal enum CsvType
{
    Text,
    Number,
    Boolean,
    Date,
}

/// <summary>One cell to its JSON value. Pure.</summary>
internal static class CsvCell
{
    private static readonly string[] Moments = ["yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];
    private static readonly string[] MomentFormats = [.. Moments, .. Moments.Select(static format => format + "K")];

    public static bool TryWrite(Utf8JsonWriter writer, CsvType type, string cell)
    {
        switch (type)
        {
            case CsvType.Number when decimal.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number):
                writer.WriteNumberValue(number);
                return true;
            case CsvType.Boolean when Boolean(cell) is { } flag:
                writer.WriteBooleanValue(flag);
                return true;
            case CsvType.Date when Date(cell) is { } date:
                writer.WriteStringValue(date);
                return true;
            case CsvType.Text:
                writer.WriteStringValue(cell);
                return true;
            default:
                return false;
        }
    }

    private static bool? Boolean(string cell) => cell.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "1" => true,
        "FALSE" or "NO" or "0" => false,
        _ => null,
    };

    /// <summary>ISO 8601, kept as text: a date, or a moment in UTC (without an offset it is meant to be UTC).</summary>
    private static string? Date(string cell)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateOnly.TryParseExact(cell, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            return cell;
        }

        return DateTime.TryParseExact(cell, MomentFormats, CultureInfo.InvariantCulture, utc, out var moment)
            ? moment.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture)
            : null;
    }
}
