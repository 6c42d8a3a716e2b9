using System.Text.Json;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Providers;

/// <summary>The members that shape a request: a change of one makes a new template version, and a run keeps those it began with.</summary>
internal static class TemplateShape
{
    private static readonly ProviderContract Nothing = new();

    /// <summary>Two contracts with the same text make the same requests, but for secrets.</summary>
    public static string Of(ProviderContract contract) => JsonSerializer.Serialize(With(Nothing, contract), ApiJson.Options);

    /// <summary>The shape of one contract; limits, policies and the rest of another.</summary>
    public static ProviderContract With(ProviderContract current, ProviderContract shape) => current with
    {
        RequestType = shape.RequestType,
        Endpoint = shape.Endpoint,
        Headers = shape.Headers,
        BodyFormat = shape.BodyFormat,
        Compression = shape.Compression,
        Parameters = shape.Parameters,
        Batch = shape.Batch,
        DefaultFromName = shape.DefaultFromName,
        DefaultFromAddress = shape.DefaultFromAddress,
        DefaultReplyToAddress = shape.DefaultReplyToAddress,
        PreferenceCenter = shape.PreferenceCenter,
    };
}
