using System.Text.Json;

namespace GenericHttpEsp.Api;

internal static class BodyReader
{
    public static (T? Value, IResult? Problem) Read<T>(JsonElement body)
        where T : class => (body.Deserialize<T>(ApiJson.Options), null);
}
