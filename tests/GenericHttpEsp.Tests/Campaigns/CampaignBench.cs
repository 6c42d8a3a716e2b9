using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.AspNetCore.Builder;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>The real application with the sandbox as its ESP, used through HTTP as any client would.</summary>
internal sealed class CampaignBench : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private CampaignBench(TestApplication application, SandboxHost sandbox) => (Application, Sandbox) = (application, sandbox);

    public TestApplication Application { get; }

    public SandboxHost Sandbox { get; }

    public HttpClient Client => Application.Client;

    /// <param name="configure">Replaces services of the application; runs last.</param>
    public static async Task<CampaignBench> StartAsync(
        string engine, PostgresServer server, SandboxOptions? options = null, Action<WebApplicationBuilder>? configure = null, params string[] settings)
    {
        var sandbox = await SandboxHost.StartAsync(options ?? new SandboxOptions(), TimeProvider.System, CancellationToken.None);
        var application = await TestApplication.StartAsync(
            Enum.Parse<StorageEngine>(engine), server, ["--Dispatch:AllowedNetworks:0=127.0.0.1", .. settings], configure);
        return new CampaignBench(application, sandbox);
    }

    /// <summary>Another application with the sandbox of this one. Its owners end both.</summary>
    public static CampaignBench On(TestApplication application, SandboxHost sandbox) => new(application, sandbox);

    public async Task ImportAsync(int people, int from = 0)
    {
        var lines = new StringBuilder();
        for (var i = from; i < from + people; i++)
        {
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $$$"""{"email":"p{{{i}}}@example.com","attributes":{"name":"Person {{{i}}}","plan":"{{{(i % 3 == 0 ? "gold" : "free")}}}"}}""").Append('\n');
        }

        using var body = new StringContent(lines.ToString());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        var answer = await OkAsync(Client.PostAsync("/v1/recipients/import", body));
        Assert.Equal(people, (int)answer["received"]!);
        Assert.Equal(0, (int)answer["rejected"]!);
    }

    /// <summary>Imports one person, as a line of NDJSON.</summary>
    public async Task ImportLineAsync(string line)
    {
        using var body = new StringContent(line);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        Assert.Equal(0, (int)(await OkAsync(Client.PostAsync("/v1/recipients/import", body)))["rejected"]!);
    }

    /// <summary>A provider in the specification's own shape; <paramref name="more"/> adds or replaces members.</summary>
    public async Task<long> ProviderAsync(int size = 50, JsonObject? more = null)
    {
        var provider = new JsonObject
        {
            ["nickname"] = $"sandbox {Guid.NewGuid():n}",
            ["requestType"] = "POST",
            ["endpoint"] = new Uri(Sandbox.Address, "/send").ToString(),
            ["parameters"] = JsonNode.Parse(
                """
                {"cid": "$$CampaignID", "key": "$$BatchID", "msgs": [{"from": "$$FromName", "senderaddr": "$$FromAddress", "to": "$$To", "mid": "$$MessageID",
                  "name": "{{profile.name}}", "content": "$$HTML", "heading": "$$Subject", "unsubscribe": "$$UnsubscribeURL"}]}
                """),
            ["batch"] = new JsonObject { ["parameter"] = "msgs", ["size"] = size },
            ["defaultFromName"] = "Acme",
            ["defaultFromAddress"] = "deals@acme.example",
        };
        foreach (var (name, value) in more ?? [])
        {
            provider[name] = value?.DeepClone();
        }

        return (long)(await OkAsync(Client.PostAsJsonAsync("/v1/providers", provider)))["id"]!;
    }

    public async Task<long> CampaignAsync(long provider, JsonObject? more = null)
    {
        var campaign = new JsonObject
        {
            ["name"] = "Autumn",
            ["providerId"] = provider,
            ["audience"] = new JsonObject { ["all"] = true },
            ["subject"] = "Hello {{ profile.name }}",
            ["html"] = "<p>Dear {{ profile.name }}, it is autumn. <a href=\"{{ unsubscribeUrl }}\">Leave</a></p>",
        };
        foreach (var (name, value) in more ?? [])
        {
            campaign[name] = value?.DeepClone();
        }

        return (long)(await OkAsync(Client.PostAsJsonAsync("/v1/campaigns", campaign)))["id"]!;
    }

    public Task<JsonNode> ActAsync(long campaign, string action) => OkAsync(Client.PostAsync($"/v1/campaigns/{campaign}/{action}", null));

    public Task<JsonNode> StatsAsync(long campaign) => OkAsync(Client.GetAsync($"/v1/campaigns/{campaign}/stats"));

    /// <summary>Watches the progress until it is over (or in a status asked for); answers the last stats.</summary>
    public async Task<JsonNode> WatchAsync(long campaign, Func<JsonNode, bool>? until = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        await using var stream = await Client.GetStreamAsync($"/v1/campaigns/{campaign}/progress", limit.Token);
        using var reader = new StreamReader(stream);
        JsonNode? last = null;
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                last = JsonNode.Parse(line[6..])!;
                if (until?.Invoke(last) == true)
                {
                    break;
                }
            }
        }

        return last!;
    }

    /// <summary>The sum holds by a recount, and the ESP's log agrees: nobody twice.</summary>
    public async Task HoldsAsync(long campaign)
    {
        var audit = await OkAsync(Client.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        var stats = await StatsAsync(campaign);
        Assert.Equal((long)stats["audience"]!, Sum(stats));
        var twice = Sandbox.Entries().SelectMany(static entry => entry.AcceptedAddresses).GroupBy(static address => address).Count(static group => group.Count() > 1);
        Assert.Equal(0, twice);
    }

    public static long Sum(JsonNode stats) =>
        ((string[])["accepted", "refused", "failed", "skipped", "unknown", "toCome"]).Sum(name => (long)stats[name]!);

    public static async Task<JsonNode> OkAsync(Task<HttpResponseMessage> call)
    {
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    public async ValueTask DisposeAsync()
    {
        await Application.DisposeAsync();
        await Sandbox.DisposeAsync();
    }
}
