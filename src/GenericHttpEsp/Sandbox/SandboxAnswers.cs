using System.Buffers;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>Bodies of answers, in the shapes of real ESPs. Ids come from the request that accepted, so a repetition answers byte for byte as before.</summary>
internal static class SandboxAnswers
{
    private const int PostmarkInactiveRecipient = 406;

    public static ReadOnlyMemory<byte> Success(SandboxAnswerShape shape, long request, SandboxRecords records, IReadOnlySet<int> refused) => Write(json =>
    {
        switch (shape)
        {
            case SandboxAnswerShape.Postmark:
                Each(json, null, request, records, refused, PostmarkRecord);
                break;
            case SandboxAnswerShape.Mailjet:
                Each(json, "Messages", request, records, refused, MailjetRecord);
                break;
            case SandboxAnswerShape.Resend:
                Resend(json, request, records, refused);
                break;
            case SandboxAnswerShape.Brevo:
                Each(json, "messageIds", request, records, refused, static (json, id, _, isRefused) =>
                {
                    if (!isRefused)
                    {
                        json.WriteStringValue(id);
                    }
                });
                break;
            default:
                Each(json, "results", request, records, refused, static (json, id, _, isRefused) =>
                {
                    json.WriteStartObject();
                    json.WriteString(isRefused ? "error" : "id", isRefused ? "refused address" : id);
                    json.WriteEndObject();
                });
                break;
        }
    });

    public static ReadOnlyMemory<byte> Error(string problem) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("error", problem);
        json.WriteEndObject();
    });

    private static void Each(Utf8JsonWriter json, string? key, long request, SandboxRecords records, IReadOnlySet<int> refused,
        Action<Utf8JsonWriter, string, string?, bool> record)
    {
        if (key is not null)
        {
            json.WriteStartObject();
            json.WritePropertyName(key);
        }

        json.WriteStartArray();
        for (var at = 0; at < records.Count; at++)
        {
            record(json, $"sb-{request}-{at}", at < records.Addresses.Count ? records.Addresses[at] : null, refused.Contains(at));
        }

        json.WriteEndArray();
        if (key is not null)
        {
            json.WriteEndObject();
        }
    }

    private static void PostmarkRecord(Utf8JsonWriter json, string id, string? address, bool isRefused)
    {
        json.WriteStartObject();
        json.WriteNumber("ErrorCode", isRefused ? PostmarkInactiveRecipient : 0);
        json.WriteString("Message", isRefused ? "You tried to send to a recipient that has been marked as inactive." : "OK");
        if (!isRefused)
        {
            json.WriteString("To", address);
            json.WriteString("MessageID", id);
        }

        json.WriteEndObject();
    }

    private static void MailjetRecord(Utf8JsonWriter json, string id, string? address, bool isRefused)
    {
        json.WriteStartObject();
        json.WriteString("Status", isRefused ? "error" : "success");
        json.WriteStartArray(isRefused ? "Errors" : "To");
        json.WriteStartObject();
        json.WriteString(isRefused ? "ErrorCode" : "Email", isRefused ? "mj-0013" : address);
        json.WriteString(isRefused ? "ErrorMessage" : "MessageID", isRefused ? "refused address" : id);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Resend(Utf8JsonWriter json, long request, SandboxRecords records, IReadOnlySet<int> refused)
    {
        json.WriteStartObject();
        json.WriteStartArray("data");
        for (var at = 0; at < records.Count; at++)
        {
            if (!refused.Contains(at))
            {
                json.WriteStartObject();
                json.WriteString("id", $"sb-{request}-{at}");
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("errors");
        foreach (var at in refused.Order())
        {
            json.WriteStartObject();
            json.WriteNumber("index", at);
            json.WriteString("message", "refused address");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        write(json);
        json.Flush();
        return buffer.WrittenMemory;
    }
}
