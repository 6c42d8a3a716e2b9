using System.Text.Json;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Providers;

/// <summary>The body of a PUT: what GET answered may be sent back with a change, so members that only we set are passed over.</summary>
internal static class ProviderPutBody
{
    private static readonly HashSet<string> OursAlone = new(StringComparer.Ordinal)
    {
        "id", "status", "version", "callbackUrl", "callbackUrls", "warnings", "customPlaceholders", "createdAt", "updatedAt",
    };

    public static async Task<(ProviderContract? Contract, IReadOnlySet<string> Nulls, IResult? Problem)> ReadAsync(
        HttpRequest request, long maxBytes, CancellationToken cancellationToken)
    {
        var nulls = (IReadOnlySet<string>)new HashSet<string>();
        var (bytes, problem) = await ApiBody.BytesAsync(request, maxBytes, cancellationToken);
        if (bytes is null)
        {
            return (null, nulls, problem);
        }

        try
        {
            // Duplicates pass here, for the strict reading to find.
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ApiJson.DepthMax });
            nulls = SecretMerge.Nulls(document.RootElement);
            bytes = document.RootElement.ValueKind == JsonValueKind.Object ? WithoutOurs(document.RootElement) : bytes;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // The strict reading says it better.
        }

        request.Body = new MemoryStream(bytes);
        request.ContentLength = bytes.Length;
        var (contract, wrong) = await ApiBody.ReadAsync<ProviderContract>(request, maxBytes, cancellationToken);
        return (contract, nulls, wrong);
    }

    private static byte[] WithoutOurs(JsonElement body)
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            foreach (var member in body.EnumerateObject().Where(member => !OursAlone.Contains(member.Name)))
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return output.ToArray();
    }
}
