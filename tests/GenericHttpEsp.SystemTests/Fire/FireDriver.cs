using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>
/// What the benches share: the sandbox ESP in this process, so that its log outlives every kill, and an API client's work through whichever server is up.
/// The log is the judge (<see cref="FireVerdict"/>), not the program's own word.
/// </summary>
internal abstract class FireDriver(SandboxHost sandbox) : IAsyncDisposable
{
    // Claims left behind by a kill become unknown after send window + this + 4 s: short, so that tests are.
    protected const int AttemptTimeoutSeconds = 3;
    public const string Everybody = "example";

    // A campaign of a million shares two cores with three silos, a database and the ESP.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(Cluster.FireSize.Of(ci: 3, full: 15));
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    private long _seen;

    public SandboxHost Sandbox => sandbox;

    /// <summary>To a server that is up.</summary>
    public abstract HttpClient Door { get; }

    /// <summary>Reads the ledger as it stands, in a session of its own.</summary>
    public abstract Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read);

    /// <summary>SIGTERM to all servers; each ends with 0.</summary>
    public abstract Task EndServersAsync();

    public abstract ValueTask DisposeAsync();

    protected static Task<SandboxHost> SandboxAsync(SandboxBehaviour? behaviour, int bodies = 0, string? listen = null) => SandboxHost.StartAsync(
        new SandboxOptions { Behaviour = behaviour ?? new SandboxBehaviour(), KeepBodies = bodies, BatchKeyPath = "key", ListenAddress = listen ?? "127.0.0.1" },
        TimeProvider.System,
        CancellationToken.None);

    /// <param name="people">Named p0 and up.</param>
    /// <param name="list">Their list, and the domain of their addresses.</param>
    public async Task ImportAsync(int people, string list = Everybody)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < people; i++)
        {
            lines.Append(CultureInfo.InvariantCulture, $$$"""{"email":"p{{{i}}}@{{{list}}}.com","attributes":{"name":"Person {{{i}}}"}}""").Append('\n');
        }

        using var body = new StringContent(lines.ToString());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        Assert.Equal(people, (int)(await OkAsync(Door.PostAsync($"/v1/recipients/import?list={list}", body)))["inserted"]!);
    }

    /// <summary>A campaign to a list, as a draft, with a provider of its own.</summary>
    /// <param name="size">Records in a request.</param>
    /// <param name="concurrency">Requests on the wire at once.</param>
    /// <param name="list">Of <see cref="ImportAsync(int, string)"/>.</param>
    public async Task<long> CampaignAsync(int size, int concurrency, string list = Everybody) =>
        await CampaignAsync(await ProviderAsync(size, concurrency, list), list);

    /// <param name="size">Records in a request.</param>
    /// <param name="concurrency">Requests on the wire at once.</param>
    /// <param name="nickname">Its own.</param>
    /// <param name="requestsPerSecond">Unset: no limit.</param>
    /// <param name="endpoint">Unset: the sandbox.</param>
    /// <param name="more">Members of the provider that are added, or stand in for these.</param>
    public async Task<long> ProviderAsync(
        int size, int concurrency, string nickname, double? requestsPerSecond = null, string? endpoint = null, JsonObject? more = null)
    {
        var provider = JsonNode.Parse(
            """
            {"requestType": "POST", "defaultFromName": "Acme", "defaultFromAddress": "deals@acme.example",
             "parameters": {"key": "$$BatchID", "msgs": [{"from": "$$FromName", "senderaddr": "$$FromAddress", "to": "$$To", "mid": "$$MessageID",
               "content": "$$HTML", "heading": "$$Subject", "unsubscribe": "$$UnsubscribeURL"}]}}
            """)!.AsObject();
        provider["nickname"] = nickname;
        provider["endpoint"] = endpoint ?? new Uri(Sandbox.Address, "/send").ToString();
        provider["batch"] = new JsonObject { ["parameter"] = "msgs", ["size"] = size };
        provider["limits"] = new JsonObject { ["concurrency"] = concurrency, ["requestsPerSecond"] = requestsPerSecond };
        foreach (var (name, value) in more ?? [])
        {
            provider[name] = value?.DeepClone();
        }

        return (long)(await OkAsync(Door.PostAsJsonAsync("/v1/providers", provider)))["id"]!;
    }

    /// <summary>For <see cref="ProviderAsync"/>: what becomes of records without an answer; <c>retry</c> wants an ESP that honours the key.</summary>
    public static JsonObject OnUnknown(string policy) => new() { ["onUnknown"] = policy, ["idempotency"] = new JsonObject { ["keyLifetimeSeconds"] = 86_400 } };

    public async Task<long> CampaignAsync(long provider, string list)
    {
        var campaign = new JsonObject
        {
            ["name"] = list,
            ["providerId"] = provider,
            ["audience"] = new JsonObject { ["list"] = list },
            ["subject"] = "Hello {{ profile.name }}",
            ["html"] = "<p>Dear {{ profile.name }}, it burns.</p>",
        };
        return (long)(await OkAsync(Door.PostAsJsonAsync("/v1/campaigns", campaign)))["id"]!;
    }

    /// <param name="campaign">A draft.</param>
    /// <param name="through">A server that lives through it. Unset: whichever is up.</param>
    public async Task StartCampaignAsync(long campaign, HttpClient? through = null) => await OkAsync((through ?? Door).PostAsync($"/v1/campaigns/{campaign}/start", null));

    public async Task<string> StatusAsync(long campaign) => (string)(await OkAsync(Door.GetAsync($"/v1/campaigns/{campaign}")))["status"]!;

    /// <summary>Waits until so many requests are judged that came after the one before (or after the last end of the server).</summary>
    public async Task WaitForRequestsAsync(int requests)
    {
        using var limit = Limit();
        var seen = 0;
        var last = await Sandbox.WaitForEntryAsync(entry => entry.Sequence > _seen && entry.Kind == SandboxEntryKind.End && ++seen >= requests, limit.Token);
        _seen = last.Sequence;
    }

    /// <summary>Waits until so many requests are judged since the beginning.</summary>
    public async Task WaitForShareAsync(int requests)
    {
        using var limit = Limit();
        var seen = 0;
        await Sandbox.WaitForEntryAsync(entry => entry.Kind == SandboxEntryKind.End && ++seen >= requests, limit.Token);
    }

    /// <summary>The server sends nothing now: waits for what is still in the sandbox, so that requests seen later were sent later.</summary>
    /// <param name="atMost">For requests that cannot end. Unset: all do.</param>
    public async Task SettleAsync(TimeSpan? atMost = null)
    {
        using var limit = Limit();
        Sandbox.Release();
        var settled = Sandbox.WaitForOpenRequestsAsync(0, limit.Token);
        await (atMost is { } most ? Task.WhenAny(settled, Task.Delay(most, limit.Token)) : settled);
        _seen = Sandbox.Entries() is [.., var last] ? last.Sequence : 0;
    }

    /// <summary>Asks until the campaign is over, through whichever server is up; answers its last stats.</summary>
    /// <param name="campaign">Running.</param>
    /// <param name="status">How it ends.</param>
    public async Task<JsonNode> EndAsync(long campaign, string status = "completed")
    {
        using var limit = Limit();
        using var tick = new PeriodicTimer(AskAgain);
        while (true)
        {
            if (await TryGetAsync($"/v1/campaigns/{campaign}/stats", limit.Token) is { } stats && (string)stats["status"]! is not ("running" or "scheduled" or "paused"))
            {
                Assert.Equal(status, (string)stats["status"]!);
                return stats;
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Asks until the campaign is paused; answers its stats.</summary>
    public async Task<JsonNode> PausedAsync(long campaign)
    {
        using var limit = Limit();
        using var tick = new PeriodicTimer(AskAgain);
        while (true)
        {
            if (await TryGetAsync($"/v1/campaigns/{campaign}/stats", limit.Token) is { } stats && (string)stats["status"]! is not "running")
            {
                Assert.Equal("paused", (string)stats["status"]!);
                return stats;
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Null while nobody can answer.</summary>
    private async Task<JsonNode?> TryGetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await Door.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken)) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        return limit;
    }

    public static async Task<JsonNode> OkAsync(Task<HttpResponseMessage> call)
    {
        using var response = await call;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }
}
