using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace GenericHttpEsp.Benchmarks;

/// <summary>An API client as anybody would write it.</summary>
internal sealed class LoadClient(Uri address, string key) : IDisposable
{
    private static readonly string[] Plans = ["free", "gold", "silver"];

    private readonly HttpClient _client = new()
    {
        BaseAddress = address,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
    };

    /// <summary>NDJSON of <paramref name="count"/> people from <paramref name="first"/> on, made before the clock starts.</summary>
    public static byte[] People(int first, int count)
    {
        var lines = new StringBuilder();
        for (var i = first; i < first + count; i++)
        {
            lines.Append(
                CultureInfo.InvariantCulture,
                $$$"""{"email":"person.{{{i}}}@example.com","attributes":{"name":"Person Number {{{i}}}","plan":"{{{Plans[i % 3]}}}","city":"Köln","age":{{{18 + (i % 60)}}}}}""").Append('\n');
        }

        return Encoding.UTF8.GetBytes(lines.ToString());
    }

    public async Task ImportAsync(byte[] people, CancellationToken cancellationToken)
    {
        using var body = new ByteArrayContent(people);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        await OkAsync(_client.PostAsync("/v1/recipients/import", body, cancellationToken));
    }

    /// <summary>A provider with one endpoint.</summary>
    public async Task<JsonNode> ProviderAsync(Uri endpoint, LoadOptions options, CancellationToken cancellationToken)
    {
        var provider = JsonNode.Parse(
            """
            {"nickname": "load", "requestType": "POST", "defaultFromName": "Acme", "defaultFromAddress": "deals@acme.example",
             "parameters": {"cid": "$$CampaignID", "msgs": [{"from": "$$FromName", "senderaddr": "$$FromAddress", "to": "$$To", "mid": "$$MessageID",
               "name": "{{ profile.name }}", "content": "$$HTML", "heading": "$$Subject", "unsubscribe": "$$UnsubscribeURL"}]}}
            """)!;
        provider["endpoint"] = endpoint.ToString();
        provider["batch"] = options.Batch > 1 ? new JsonObject { ["parameter"] = "msgs", ["size"] = options.Batch } : null;
        return await OkAsync(_client.PostAsJsonAsync("/v1/providers", provider, cancellationToken));
    }

    /// <summary>A campaign to everybody.</summary>
    public async Task<long> CampaignAsync(long provider, LoadOptions options, CancellationToken cancellationToken)
    {
        var campaign = new JsonObject
        {
            ["name"] = "Load",
            ["providerId"] = provider,
            ["audience"] = new JsonObject { ["all"] = true },
            ["subject"] = "{{ profile.name }}, it is autumn in {{ profile.city }}",
            ["html"] = Html(options.HtmlKilobytes),
        };
        return (long)(await OkAsync(_client.PostAsJsonAsync("/v1/campaigns", campaign, cancellationToken)))["id"]!;
    }

    public Task<JsonNode> StartAsync(long campaign, CancellationToken cancellationToken) =>
        OkAsync(_client.PostAsync($"/v1/campaigns/{campaign}/start", null, cancellationToken));

    public Task<JsonNode> StopAsync(long campaign, CancellationToken cancellationToken) =>
        OkAsync(_client.PostAsync($"/v1/campaigns/{campaign}/stop", null, cancellationToken));

    public Task<JsonNode> StatsAsync(long campaign, CancellationToken cancellationToken) =>
        OkAsync(_client.GetAsync($"/v1/campaigns/{campaign}/stats", cancellationToken));

    /// <summary>Answers how many records it settled.</summary>
    public async Task<long> ResolveAsync(long campaign, CancellationToken cancellationToken) => (long)(await OkAsync(_client.PostAsJsonAsync(
        $"/v1/campaigns/{campaign}/unknown/resolve", new JsonObject { ["batchIds"] = "all", ["outcome"] = "notSent" }, cancellationToken)))["resolved"]!;

    public Task UnsubscribeAsync(int person, CancellationToken cancellationToken) => OkAsync(_client.PutAsJsonAsync(
        $"/v1/recipients/{Address(person)}/subscription", new JsonObject { ["status"] = "unsubscribed" }, cancellationToken));

    public async Task EraseAsync(int person, CancellationToken cancellationToken)
    {
        using var response = await _client.DeleteAsync($"/v1/recipients/{Address(person)}", cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public Task<JsonNode> VerifyAsync(long campaign, CancellationToken cancellationToken) =>
        OkAsync(_client.GetAsync($"/v1/campaigns/{campaign}/verify", cancellationToken));

    /// <summary>Follows the server-sent events to the end; answers the last stats.</summary>
    public async Task<JsonNode> EndAsync(long campaign, CancellationToken cancellationToken)
    {
        await using var stream = await _client.GetStreamAsync($"/v1/campaigns/{campaign}/progress", cancellationToken);
        using var reader = new StreamReader(stream);
        JsonNode? last = null;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            last = line.StartsWith("data: ", StringComparison.Ordinal) ? JsonNode.Parse(line[6..]) : last;
        }

        return last!;
    }

    /// <summary>What a dashboard asks for, with the slowest of five answers after one to warm up.</summary>
    public async Task<IReadOnlyList<(string Path, TimeSpan Slowest)>> ReadAsync(long campaign, int recipients, CancellationToken cancellationToken)
    {
        var people = await OkAsync(_client.GetAsync("/v1/recipients?limit=100", cancellationToken));
        var page = await OkAsync(_client.GetAsync($"/v1/campaigns/{campaign}/recipients?limit=100", cancellationToken));
        string[] paths =
        [
            $"/v1/campaigns/{campaign}/stats", $"/v1/campaigns/{campaign}/errors", $"/v1/campaigns/{campaign}/recipients?limit=100",
            $"/v1/campaigns/{campaign}/recipients?limit=100&cursor={page["nextCursor"]}", $"/v1/recipients?limit=100",
            $"/v1/recipients?limit=100&cursor={people["nextCursor"]}", $"/v1/recipients/{Address(recipients / 2)}/timeline", "/v1/campaigns",
        ];
        var times = new List<(string, TimeSpan)>();
        foreach (var path in paths)
        {
            var slowest = TimeSpan.Zero;
            for (var call = 0; call < 6; call++)
            {
                var began = TimeProvider.System.GetTimestamp();
                await OkAsync(_client.GetAsync(path, cancellationToken));
                var took = TimeProvider.System.GetElapsedTime(began);
                slowest = call > 0 && took > slowest ? took : slowest;
            }

            times.Add((path.Split("&cursor")[0] + (path.Contains("&cursor", StringComparison.Ordinal) ? " (next page)" : ""), slowest));
        }

        return times;
    }

    public void Dispose() => _client.Dispose();

    private static string Address(int person) => string.Create(CultureInfo.InvariantCulture, $"person.{person}@example.com");

    /// <summary>Static markup with something personal every kilobyte, quotes and line breaks included.</summary>
    private static string Html(int kilobytes)
    {
        var html = new StringBuilder("<html><body style=\"font-family: sans-serif\">\n");
        while (html.Length < kilobytes * 1024)
        {
            html.Append("<p class=\"lead\">Dear {{ profile.name }} of {{ profile.city }}, your plan is {% if profile.plan == \"gold\" %}gold{% else %}{{ profile.plan }}{% endif %}.</p>\n");
            for (var i = 0; i < 6; i++)
            {
                html.Append("<p>Leaves turn, prices fall: \"the best week of the year\" &mdash; come &amp; see what is new in the shop around the corner.</p>\n");
            }
        }

        return html.Append("</body></html>").ToString();
    }

    private static async Task<JsonNode> OkAsync(Task<HttpResponseMessage> call)
    {
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
    }
}
