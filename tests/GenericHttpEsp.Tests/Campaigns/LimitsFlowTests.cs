using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class LimitsFlowTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Two silos whose lines do not move under the old limits: nothing but the news itself can wake them.</summary>
    [Fact]
    public async Task LimitsRaised_WakeTheLinesOfAllSilos()
    {
        var database = await server.NewDatabaseAsync(Stop);
        using var keys = new TemporaryFolder();
        string[] settings = [$"--ConnectionStrings:Postgres={database}", $"--Secrets:KeyFile={keys.Path}/secret.key", "--Dispatch:AllowedNetworks:0=127.0.0.1"];
        await using var bench = await CampaignBench.StartAsync("PostgreSql", server, settings: settings);
        await using var other = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);
        await bench.ImportAsync(40);
        var provider = await bench.ProviderAsync(10, Limits(0.001));
        var campaigns = new List<long>();
        while (campaigns.Count < 4 || !IsWaiting(bench.Application, provider) || !IsWaiting(other, provider))
        {
            Assert.InRange(campaigns.Count, 0, 60);
            campaigns.Add(await bench.CampaignAsync(provider));
            await bench.ActAsync(campaigns[^1], "start");
        }

        var stored = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/providers/{provider}"));
        stored["limits"] = Limits(1000)["limits"]!.DeepClone();
        foreach (var answered in new[] { "id", "callbackUrl", "warnings", "version", "status", "revision", "createdAt", "updatedAt" })
        {
            stored.AsObject().Remove(answered);
        }

        var since = TimeProvider.System.GetTimestamp();
        await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync($"/v1/providers/{provider}", stored));
        while (IsWaiting(bench.Application, provider) || IsWaiting(other, provider))
        {
            await Task.Delay(10, Stop);
        }

        var waited = TimeProvider.System.GetElapsedTime(since);
        TestContext.Current.SendDiagnosticMessage($"New limits were in force everywhere after {waited.TotalSeconds:f1} s");
        Assert.InRange(waited, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        foreach (var campaign in campaigns)
        {
            Assert.Equal(40, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LearntSize_OutlivesTheProcess(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(200);
        bench.Sandbox.Behaviour = new SandboxBehaviour { MaxBodyBytes = 30_000 };
        var provider = await bench.ProviderAsync(200);
        int before;
        do
        {
            before = TooLarge(bench);
            await SendAsync(bench, provider);
        }
        while (TooLarge(bench) > before);

        Assert.True(before > 0);
        await bench.Application.RestartAsync();
        await SendAsync(bench, provider);

        Assert.Equal(before, TooLarge(bench));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(0, 2)]
    public async Task Linger_OfNothing_SendsWhatIsThere(int? lingerMilliseconds, int requests)
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(300);
        var batch = new JsonObject { ["parameter"] = "msgs", ["size"] = 1000, ["lingerMilliseconds"] = lingerMilliseconds };
        var provider = await bench.ProviderAsync(more: new JsonObject { ["batch"] = batch });
        // Several pages of rendered messages.
        var campaign = await bench.CampaignAsync(provider, new JsonObject { ["html"] = $"<p>{new string('x', 10_000)}</p>" });
        await bench.ActAsync(campaign, "start");

        Assert.Equal(300, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        var heads = bench.Sandbox.Entries().Count(static entry => entry.Kind == SandboxEntryKind.Head);
        Assert.InRange(heads, requests, lingerMilliseconds is null ? 1 : 10);
        await bench.HoldsAsync(campaign);
    }

    private static async Task SendAsync(CampaignBench bench, long provider)
    {
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        Assert.Equal(200, (long)(await bench.WatchAsync(campaign))["accepted"]!);
    }

    private static int TooLarge(CampaignBench bench) => bench.Sandbox.Entries().Count(static entry => entry.Status == 413 && entry.Kind == SandboxEntryKind.End);

    private static bool IsWaiting(TestApplication application, long provider) =>
        application.Services.GetRequiredService<ProviderDesks>().Find(provider)?.Budget.HasWaiting == true;

    private static JsonObject Limits(double requestsPerSecond) => new() { ["limits"] = new JsonObject { ["requestsPerSecond"] = requestsPerSecond } };
}
