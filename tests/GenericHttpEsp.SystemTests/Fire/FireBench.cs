using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>
/// The driver: the built program as a process on a directory of its own, and the sandbox ESP in this process, so that its log outlives every kill. The log
/// is the judge (<see cref="FireVerdict"/>), not the program's own word.
/// </summary>
internal sealed class FireBench : IAsyncDisposable
{
    // Claims left behind by a kill become unknown after send window + this + 4 s: short, so that tests are.
    private const int AttemptTimeoutSeconds = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-fire-").FullName;

    private long _seen;

    private FireBench(SandboxHost sandbox) => Sandbox = sandbox;

    public SandboxHost Sandbox { get; }

    public ServerProcess Server { get; private set; } = null!;

    public string Folder => _folder;

    public static async Task<FireBench> StartAsync(string? failPoint = null, SandboxBehaviour? behaviour = null)
    {
        var options = new SandboxOptions { Behaviour = behaviour ?? new SandboxBehaviour(), KeepBodies = 0, BatchKeyPath = "key" };
        var bench = new FireBench(await SandboxHost.StartAsync(options, TimeProvider.System, CancellationToken.None));
        await bench.RestartAsync(failPoint);
        return bench;
    }

    /// <summary>Starts the program on the directory; whatever ran before has ended.</summary>
    public Task RestartAsync(string? failPoint = null)
    {
        Launch(failPoint);
        return Server.ListenAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts the program, which may end before it listens.</summary>
    public void Launch(string? failPoint)
    {
        Server?.Dispose();
        Server = ServerProcess.Start(
            _folder, failPoint, ["--Dispatch:AllowedNetworks:0=127.0.0.1", $"--Dispatch:AttemptTimeoutSeconds={AttemptTimeoutSeconds}"]);
    }

    /// <summary>The program ends itself at its fail point.</summary>
    public async Task CrashAsync()
    {
        Assert.NotEqual(0, await Server.EndAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Fail point ", Server.Output, StringComparison.Ordinal);
    }

    public async Task ImportAsync(int people)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < people; i++)
        {
            lines.Append(CultureInfo.InvariantCulture, $$$"""{"email":"p{{{i}}}@example.com","attributes":{"name":"Person {{{i}}}"}}""").Append('\n');
        }

        using var body = new StringContent(lines.ToString());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        Assert.Equal(people, (int)(await OkAsync(Server.Client.PostAsync("/v1/recipients/import", body)))["inserted"]!);
    }

    /// <summary>A campaign to all, as a draft.</summary>
    /// <param name="size">Records in a request.</param>
    /// <param name="concurrency">Requests on the wire at once.</param>
    public async Task<long> CampaignAsync(int size, int concurrency)
    {
        var provider = JsonNode.Parse(
            """
            {"nickname": "fire", "requestType": "POST", "defaultFromName": "Acme", "defaultFromAddress": "deals@acme.example",
             "parameters": {"key": "$$BatchID", "msgs": [{"from": "$$FromName", "senderaddr": "$$FromAddress", "to": "$$To", "mid": "$$MessageID",
               "content": "$$HTML", "heading": "$$Subject"}]}}
            """)!.AsObject();
        provider["endpoint"] = new Uri(Sandbox.Address, "/send").ToString();
        provider["batch"] = new JsonObject { ["parameter"] = "msgs", ["size"] = size };
        provider["limits"] = new JsonObject { ["concurrency"] = concurrency };
        var id = (long)(await OkAsync(Server.Client.PostAsJsonAsync("/v1/providers", provider)))["id"]!;
        var campaign = new JsonObject
        {
            ["name"] = "Fire",
            ["providerId"] = id,
            ["audience"] = new JsonObject { ["all"] = true },
            ["subject"] = "Hello {{ profile.name }}",
            ["html"] = "<p>Dear {{ profile.name }}, it burns.</p>",
        };
        return (long)(await OkAsync(Server.Client.PostAsJsonAsync("/v1/campaigns", campaign)))["id"]!;
    }

    public async Task StartCampaignAsync(long campaign) => await OkAsync(Server.Client.PostAsync($"/v1/campaigns/{campaign}/start", null));

    public async Task<string> StatusAsync(long campaign) => (string)(await OkAsync(Server.Client.GetAsync($"/v1/campaigns/{campaign}")))["status"]!;

    /// <summary>SIGKILL. Answers what was on the wire by the files it left; the kill counts only if that is somebody.</summary>
    public async Task<FireLedger> KillAsync(long campaign)
    {
        Assert.NotEqual(0, await Server.SignalAsync("KILL", TestContext.Current.CancellationToken));
        return await LeftAsync(campaign);
    }

    /// <summary>What the ended server left. What is judged from here on was sent after it.</summary>
    public async Task<FireLedger> LeftAsync(long campaign)
    {
        await SettleAsync();
        return await FireLedger.ReadAsync(_folder, campaign);
    }

    /// <summary>Waits until so many requests are judged that came after the one before (or after the last end of the server).</summary>
    public async Task WaitForRequestsAsync(int requests)
    {
        using var limit = Limit();
        var seen = 0;
        var last = await Sandbox.WaitForEntryAsync(entry => entry.Sequence > _seen && entry.Kind == SandboxEntryKind.End && ++seen >= requests, limit.Token);
        _seen = last.Sequence;
    }

    /// <summary>The server sends nothing now: waits for what is still in the sandbox, so that requests seen later were sent later.</summary>
    public async Task SettleAsync()
    {
        using var limit = Limit();
        Sandbox.Release();
        await Sandbox.WaitForOpenRequestsAsync(0, limit.Token);
        _seen = Sandbox.Entries() is [.., var last] ? last.Sequence : 0;
    }

    /// <summary>Follows the server-sent events to the campaign's end; answers its last stats.</summary>
    public async Task<JsonNode> EndAsync(long campaign)
    {
        using var limit = Limit();
        await using var stream = await Server.Client.GetStreamAsync($"/v1/campaigns/{campaign}/progress", limit.Token);
        using var reader = new StreamReader(stream);
        JsonNode? last = null;
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            last = line.StartsWith("data: ", StringComparison.Ordinal) ? JsonNode.Parse(line[6..]) : last;
        }

        Assert.Equal("completed", (string?)last?["status"]);
        return last!;
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

    public async ValueTask DisposeAsync()
    {
        Server.Dispose();
        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
