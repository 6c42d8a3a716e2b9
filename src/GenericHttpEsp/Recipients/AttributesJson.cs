using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace GenericHttpEsp.Recipients;

/// <summary>A recipient's attributes as stored: one compact JSON object. Pure.</summary>
internal static class AttributesJson
{
    public const string Empty = "{}";

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static string Write(JsonElement attributes) => Write(writer => attributes.WriteTo(writer));

    public static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Two rows for one recipient: the later one wins name by name. Its nulls stay, since they have yet to remove what is stored.</summary>
    public static string Combine(string earlier, string later) => Overlay(earlier, later, keepNulls: true);

    /// <summary>What is stored after a row: its members replace those of the same name, null removes.</summary>
    public static string Merge(string stored, string row) => stored == row ? stored : Overlay(stored, row, keepNulls: false);

    /// <summary>A first row has nothing to remove.</summary>
    public static string First(string row) =>
        row.Contains(":null", StringComparison.Ordinal) ? Overlay(Empty, row, keepNulls: false) : row;

    private static string Overlay(string below, string above, bool keepNulls)
    {
        using var lower = JsonDocument.Parse(below);
        using var upper = JsonDocument.Parse(above);
        var newer = upper.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        return Write(writer =>
        {
            writer.WriteStartObject();
            foreach (var member in lower.RootElement.EnumerateObject())
            {
                WriteMember(writer, member.Name, newer.Remove(member.Name, out var value) ? value : member.Value, keepNulls);
            }

            foreach (var (name, value) in newer)
            {
                WriteMember(writer, name, value, keepNulls);
            }

            writer.WriteEndObject();
        });
    }

    private static void WriteMember(Utf8JsonWriter writer, string name, JsonElement value, bool keepNulls)
    {
        if (keepNulls || value.ValueKind != JsonValueKind.Null)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }
}
