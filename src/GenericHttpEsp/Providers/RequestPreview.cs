using System.Text;

namespace GenericHttpEsp.Providers;

/// <summary>A request as people read it: secrets masked.</summary>
internal static class RequestPreview
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static PreviewAnswer Of(AssembledRequest request, ProviderContract provider, IReadOnlyList<string> warnings, IReadOnlyList<TrialSkipped> skipped)
    {
        var bytes = Bytes(request);
        var headers = request.Headers.Select(header => new PreviewHeader(header.Name, Shown(header, provider))).ToList();
        var text = Text(bytes);
        return new(
            request.Method,
            request.Uri.AbsoluteUri,
            headers,
            text ?? Encoding.UTF8.GetString(bytes),
            text is null ? Convert.ToBase64String(bytes) : null,
            CurlCommand.Of(request.Method, request.Uri, headers, text ?? "", request.Gzip),
            [.. warnings, .. Warnings(request, provider)],
            skipped);
    }

    public static byte[] Bytes(AssembledRequest request)
    {
        using var output = new MemoryStream((int)request.ContentLength);
        foreach (var piece in request.Body)
        {
            output.Write(piece.Span);
        }

        return output.ToArray();
    }

    private static string Shown(AssembledHeader header, ProviderContract provider)
    {
        // The header's characters are the bytes of the wire.
        var value = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(header.Value));
        var isBasic = provider.Authentication?.Type == "basic" && header.Name.Equals("Authorization", StringComparison.OrdinalIgnoreCase);
        // The tail of Basic is the tail of the password.
        return !header.Secret ? value : isBasic ? "Basic ****" : SecretMask.Of(value) ?? "";
    }

    private static IEnumerable<string> Warnings(AssembledRequest request, ProviderContract provider)
    {
        if (provider.Batch?.MaxBytes is { } max && request.ContentLength > max)
        {
            yield return $"This body has {request.ContentLength} bytes, more than batch.maxBytes ({max}): a campaign would put fewer records into a request.";
        }
    }

    private static string? Text(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
