using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace GenericHttpEsp.Api;

/// <summary>Reads a JSON body strictly and finds everything that is wrong with it at once.</summary>
internal static class ApiBody
{
    private static readonly JsonDocumentOptions Strict = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = ApiJson.DepthMax,
    };

    /// <typeparam name="T">
    /// A public record. A member is required when its type is not nullable and it has no default; validation attributes may stand on the property or on
    /// the constructor's parameter.
    /// </typeparam>
    /// <param name="maxBytes">Not above the route's <see cref="BodyLimitRoutes.WithBodyLimit"/>.</param>
    /// <returns>Either the body or the answer: 400 unreadable, 413 too large, 415 not JSON by its content type, 422 wrong members with their pointers.</returns>
    public static async Task<(T? Value, IResult? Problem)> ReadAsync<T>(HttpRequest request, long maxBytes, CancellationToken cancellationToken)
        where T : class
    {
        var (bytes, problem) = await JsonBytesAsync(request, maxBytes, cancellationToken);
        return bytes is null ? (null, problem) : Parse<T>(bytes);
    }

    /// <summary>The whole body of a request that calls it JSON, or 415 or 413.</summary>
    public static async Task<(byte[]? Bytes, IResult? Problem)> JsonBytesAsync(HttpRequest request, long maxBytes, CancellationToken cancellationToken) =>
        IsJson(request.ContentType)
            ? await BytesAsync(request, maxBytes, cancellationToken)
            : (null, Problems.WrongContentType("Send application/json in UTF-8."));

    /// <summary>The whole body, or 413.</summary>
    public static async Task<(byte[]? Bytes, IResult? Problem)> BytesAsync(HttpRequest request, long maxBytes, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes)
        {
            return (null, Problems.TooLarge(maxBytes));
        }

        using var buffer = new MemoryStream((int)(request.ContentLength ?? 0));
        var chunk = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
            {
                if (buffer.Length + read > maxBytes)
                {
                    return (null, Problems.TooLarge(maxBytes));
                }

                buffer.Write(chunk, 0, read);
            }
        }
        catch (BadHttpRequestException refused) when (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, Problems.TooLarge(Math.Min(maxBytes, BodyLimitRoutes.Of(request.HttpContext))));
        }

        return (buffer.ToArray(), null);
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (!type.Charset.HasValue || type.Charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static (T? Value, IResult? Problem) Parse<T>(byte[] bytes)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            return BodyReader.Read<T>(document.RootElement);
        }
        catch (JsonException unreadable)
        {
            return (null, Problems.Unreadable($"The body is not JSON as this API takes it: {unreadable.Message}"));
        }
        catch (InvalidOperationException unreadable) when (unreadable.TargetSite?.DeclaringType?.Assembly == typeof(JsonDocument).Assembly)
        {
            // A lone surrogate in a member's name, met while names are compared.
            return (null, Problems.Unreadable($"The body is not Unicode: {unreadable.Message}"));
        }
    }
}
