using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>The server said no, or something else than expected: the demo ends with this sentence.</summary>
internal sealed class DemoException(string message) : Exception(message);

/// <summary>The API as any client in any language uses it: HTTP and JSON, no type of the server.</summary>
internal sealed class DemoApi(HttpClient client)
{
    private const int PagesMax = 100;

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => ReadAsync(client.GetAsync(path, cancellationToken), cancellationToken);

    public Task<JsonElement> PostAsync(string path, object? body, CancellationToken cancellationToken) =>
        ReadAsync(body is null ? client.PostAsync(path, null, cancellationToken) : client.PostAsJsonAsync(path, body, cancellationToken), cancellationToken);

    public Task<JsonElement> PutAsync(string path, object body, CancellationToken cancellationToken) =>
        ReadAsync(client.PutAsJsonAsync(path, body, cancellationToken), cancellationToken);

    public async Task<JsonElement> ImportAsync(Stream lines, CancellationToken cancellationToken)
    {
        using var body = new StreamContent(lines);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        return await ReadAsync(client.PostAsync("/v1/recipients/import", body, cancellationToken), cancellationToken);
    }

    /// <summary>The id of the active provider with this nickname; null when there is none.</summary>
    public async Task<long?> FindProviderAsync(string nickname, CancellationToken cancellationToken)
    {
        var cursor = "";
        for (var page = 0; page < PagesMax; page++)
        {
            var answer = await GetAsync($"/v1/providers?status=active&limit=500{cursor}", cancellationToken);
            foreach (var provider in answer.GetProperty("items").EnumerateArray().Where(item => item.GetProperty("nickname").GetString() == nickname))
            {
                return provider.GetProperty("id").GetInt64();
            }

            if (!answer.TryGetProperty("nextCursor", out var next) || next.ValueKind != JsonValueKind.String)
            {
                return null;
            }

            cursor = $"&cursor={Uri.EscapeDataString(next.GetString()!)}";
        }

        return null;
    }

    /// <summary>What a mail program does for "unsubscribe" (RFC 8058): no key, no cookie, one POST. Of the link only the path is used: the host may be another machine's.</summary>
    public async Task<bool> UnsubscribeAsync(Uri link, CancellationToken cancellationToken)
    {
        using var oneClick = new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]);
        using var answer = await client.PostAsync(link.AbsolutePath, oneClick, cancellationToken);
        return answer.IsSuccessStatusCode;
    }

    /// <summary>A campaign's stats whenever they change, until it is over (server-sent events).</summary>
    public async IAsyncEnumerable<JsonElement> ProgressAsync(long campaign, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string Data = "data: ";
        await using var stream = await client.GetStreamAsync($"/v1/campaigns/{campaign}/progress", cancellationToken);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(Data, StringComparison.Ordinal))
            {
                yield return JsonElement.Parse(line.AsSpan(Data.Length));
            }
        }
    }

    private static async Task<JsonElement> ReadAsync(Task<HttpResponseMessage> call, CancellationToken cancellationToken)
    {
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => throw new DemoException("The server does not take the demo's key: it was revoked. Delete demo.key in the data directory, or set Api:BootstrapKey."),
            _ when !response.IsSuccessStatusCode => throw new DemoException($"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri} answered {(int)response.StatusCode}: {text}"),
            _ => JsonElement.Parse(text),
        };
    }
}
