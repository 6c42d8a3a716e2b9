using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace GenericHttpEsp.Api;

/// <summary>The one JSON dialect of the API: camelCase, enums as camelCase strings, and nothing that two parsers could read differently.</summary>
internal static class ApiJson
{
    /// <summary>Depth of a body; deeper ones are unreadable.</summary>
    public const int DepthMax = 64;

    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Sets these rules on options that somebody else owns (the minimal API's answers).</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.DictionaryKeyPolicy = null;
        options.PropertyNameCaseInsensitive = false;
        options.AllowDuplicateProperties = false;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = DepthMax;
        options.ReadCommentHandling = JsonCommentHandling.Disallow;
        options.AllowTrailingCommas = false;
        // Readable names and messages. Nothing here is pasted into HTML, and no browser takes it for HTML (nosniff).
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions();
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
