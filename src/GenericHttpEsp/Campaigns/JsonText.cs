using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace GenericHttpEsp.Campaigns;

/// <summary>Strings of JSON that may hold what no string should: <c>"\ud800"</c> is valid JSON, and reading it throws.</summary>
internal static class JsonText
{
    public static bool TryRead(JsonElement element, [NotNullWhen(true)] out string? text)
    {
        text = null;
        return element.ValueKind == JsonValueKind.String && TryRead(element.GetString, out text);
    }

    public static bool TryName(JsonProperty member, [NotNullWhen(true)] out string? name) => TryRead(() => member.Name, out name);

    /// <summary>A name as a part of a JSON pointer (RFC 6901).</summary>
    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static bool TryRead(Func<string?> read, [NotNullWhen(true)] out string? text)
    {
        try
        {
            text = read();
        }
        catch (InvalidOperationException)
        {
            // The one sign System.Text.Json gives of half a surrogate pair.
            text = null;
        }

        return text is not null;
    }
}
