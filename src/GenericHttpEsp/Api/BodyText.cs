using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace GenericHttpEsp.Api;

/// <summary>Strings and numbers that are JSON and still cannot be kept.</summary>
internal static class BodyText
{
    private const int NumberBytesMax = 1000;
    private static readonly SearchValues<byte> Digits = SearchValues.Create("123456789"u8);

    /// <summary>
    /// A number that jsonb, SQLite and every reader of doubles take alike: neither infinite to one of them nor, with thousands of digits or an exponent below
    /// all, an error or a zero.
    /// </summary>
    public static bool IsStorable(ReadOnlySpan<byte> number, int bytesMax) => number.Length <= bytesMax
        && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
        && double.IsFinite(value)
        && (value != 0 || !(number.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var end ? number[..end] : number).ContainsAny(Digits));

    /// <summary>A lone surrogate is no text: there is no UTF-8 for it, so it could be neither stored nor sent.</summary>
    /// <returns>What is wrong and where; null when all strings are text.</returns>
    public static string? FindUnreadable(JsonElement element, string pointer)
    {
        try
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    _ = element.GetString();
                    return null;
                case JsonValueKind.Object:
                    return element.EnumerateObject()
                        .Select(member => FindUnreadable(member.Value, JsonPointer.Child(pointer, member.Name))).FirstOrDefault(static found => found is not null);
                case JsonValueKind.Array:
                    return element.EnumerateArray()
                        .Select((item, index) => FindUnreadable(item, $"{pointer}/{index}")).FirstOrDefault(static found => found is not null);
                default:
                    return null;
            }
        }
        catch (InvalidOperationException)
        {
            return $"Not valid Unicode: a lone surrogate at \"{pointer}\".";
        }
    }

    public static void RefuseUnstorable(JsonElement element, string pointer, BodyErrors errors)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String when element.GetString()!.Contains('\0'):
                errors.Add(pointer, "holds \\u0000, which PostgreSQL cannot store");
                break;
            case JsonValueKind.Number when !IsStorable(JsonMarshal.GetRawUtf8Value(element), NumberBytesMax):
                errors.Add(pointer, "is a number too large, too small or too long to be kept");
                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    var child = JsonPointer.Child(pointer, member.Name);
                    if (member.Name.Contains('\0'))
                    {
                        errors.Add(child, "has \\u0000 in its name, which PostgreSQL cannot store");
                    }

                    RefuseUnstorable(member.Value, child, errors);
                }

                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in element.EnumerateArray().Index())
                {
                    RefuseUnstorable(item, $"{pointer}/{index}", errors);
                }

                break;
            default:
                break;
        }
    }
}
