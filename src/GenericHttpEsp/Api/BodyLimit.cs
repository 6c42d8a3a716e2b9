using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace GenericHttpEsp.Api;

/// <summary>A route's own limit for its request body, in bytes; routing hands it to Kestrel before anything is read.</summary>
internal sealed class BodyLimit(long? bytes) : IRequestSizeLimitMetadata
{
    public long? MaxRequestBodySize => bytes;
}

internal static class BodyLimitRoutes
{
    /// <summary>Bodies of these routes may have <paramref name="bytes"/>, instead of the server's limit.</summary>
    public static TBuilder WithBodyLimit<TBuilder>(this TBuilder builder, long bytes)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new BodyLimit(bytes)));
        return builder;
    }

    /// <summary>The limit that holds for this request.</summary>
    public static long Of(HttpContext context) => context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? long.MaxValue;
}
