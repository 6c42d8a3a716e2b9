using System.Buffers;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>An event to be posted.</summary>
internal sealed record SandboxEvent(Uri Url, int EventsPerBody, bool Shuffle, string Type, string Email, string Meta, long Timestamp);

/// <summary>Writes callback bodies of version 2.</summary>
internal static class SandboxEventBody
{
    private static readonly (string Name, string[] Types)[] Groups =
    [
        ("success", ["delivered"]),
        ("failed", ["hard_bounce", "soft_bounce", "spam", "unsubscribed"]),
        ("clicked", ["clicked"]),
    ];

    public static bool IsType(string type) => Groups.Any(group => group.Types.Contains(type));

    public static byte[] Write(IReadOnlyList<SandboxEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>(events.Count * 256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("version", "v2");
        json.WriteStartObject("events");
        foreach (var (name, types) in Groups)
        {
            var members = events.Where(one => types.Contains(one.Type)).ToList();
            if (members.Count > 0)
            {
                json.WriteStartArray(name);
                members.ForEach(one => Write(json, one));
                json.WriteEndArray();
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, SandboxEvent one)
    {
        json.WriteStartObject();
        json.WriteString("type", one.Type);
        json.WriteString("email", one.Email);
        json.WriteString("meta", one.Meta);
        json.WriteString("description", Description(one.Type));
        json.WriteNumber("timestamp", one.Timestamp);
        json.WriteEndObject();
    }

    private static string Description(string type) => type switch
    {
        "hard_bounce" => "550 5.1.1 mailbox does not exist",
        "soft_bounce" => "452 4.2.2 mailbox full",
        "spam" => "reported as spam",
        "unsubscribed" => "unsubscribed at the provider",
        "clicked" => "https://example.com/",
        _ => "250 2.0.0 accepted",
    };
}
