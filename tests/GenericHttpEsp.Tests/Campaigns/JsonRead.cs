using System.Text.Json;

namespace GenericHttpEsp.Tests.Campaigns;

internal static class JsonRead
{
    public static JsonElement Element(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
