using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class CampaignFlowTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Campaign_ToAll_ReachesEverybodyOnceAndCompletes(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(1030);
        await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync("/v1/recipients/p7@example.com/subscription", new { status = "unsubscribed", reason = "asked by phone" }));
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync());

        await bench.ActAsync(campaign, "start");
        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal(1030, (long)stats["audience"]!);
        Assert.Equal(1029, (long)stats["accepted"]!);
        Assert.Equal(1, (long)stats["skippedByReason"]!["unsubscribed"]!);
        await bench.HoldsAsync(campaign);
        var summary = bench.Sandbox.Summary();
        Assert.Equal(1029, summary.MessagesAccepted);
        Assert.Equal(0, summary.RequestsRefused);
        Assert.DoesNotContain(bench.Sandbox.Entries(), entry => entry.Addresses?.Contains("p7@example.com") == true);
    }

    [Fact]
    public async Task Message_AsTheEspGotIt_IsPersonal()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(3);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(), new JsonObject { ["subject"] = "A \"quoted\" word for {{ profile.name }}" });
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);

        var body = JsonNode.Parse(Assert.Single(bench.Sandbox.Bodies).Body.Span)!;
        Assert.Equal($"{campaign}", (string)body["cid"]!);
        Assert.Equal(26, ((string)body["key"]!).Length);
        var second = Assert.Single(body["msgs"]!.AsArray(), static record => (string)record!["to"]! == "p1@example.com")!;
        Assert.Equal("A \"quoted\" word for Person 1", (string)second["heading"]!);
        Assert.Equal("Person 1", (string)second["name"]!);
        Assert.StartsWith("<p>Dear Person 1,", (string)second["content"]!, StringComparison.Ordinal);
        Assert.StartsWith("p1@example.com|", (string)second["mid"]!, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Pause_EndsRequests_ResumeGoesOn(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(2000);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 20 } }));
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign, static stats => (long)stats["accepted"]! > 0);

        await bench.ActAsync(campaign, "pause");
        var last = bench.Sandbox.Entries().Max(static entry => entry.Sequence);
        var paused = await bench.ActAsync(campaign, "pause");
        Assert.Equal("paused", (string)paused["status"]!);
        var again = await bench.Client.PostAsync($"/v1/campaigns/{campaign}/start", null);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.DoesNotContain(bench.Sandbox.Entries(last), static entry => entry.Kind == SandboxEntryKind.Head);

        await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/verify"));
        await bench.ActAsync(campaign, "resume");
        var stats = await bench.WatchAsync(campaign);
        Assert.Equal(2000, (long)stats["accepted"]!);
        await bench.HoldsAsync(campaign);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Stop_SkipsTheRest(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(2000);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 20 } }));
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign, static stats => (long)stats["accepted"]! > 0);

        await bench.ActAsync(campaign, "stop");
        var last = bench.Sandbox.Entries().Max(static entry => entry.Sequence);
        var stats = await bench.WatchAsync(campaign, static stats => (long)stats["toCome"]! == 0);
        Assert.Equal("stopped", (string)stats["status"]!);
        Assert.True((long)stats["skippedByReason"]!["stopped"]! > 0);
        Assert.DoesNotContain(bench.Sandbox.Entries(last), static entry => entry.Kind == SandboxEntryKind.Head);
        await bench.HoldsAsync(campaign);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Trouble_LaterThenAccepted_NobodyTwice(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(600);
        bench.Sandbox.Behaviour = new SandboxBehaviour { TooManyRequestsShare = 0.3, RetryAfterSeconds = 1 };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(30));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal(600, (long)stats["accepted"]!);
        Assert.Contains(bench.Sandbox.Entries(), static entry => entry.Status == 429);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task LostAnswers_AreUnknown_AndHeld()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(300);
        bench.Sandbox.Behaviour = new SandboxBehaviour { AcceptThenCloseShare = 0.3 };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal(300, (long)stats["accepted"]! + (long)stats["unknown"]!);
        Assert.True((long)stats["unknown"]! > 0);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task Restart_OfARunningCampaign_GoesOnByItself()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(1000);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 15 } }));
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign, static stats => (long)stats["accepted"]! > 0);

        await bench.Application.RestartAsync();

        var stats = await bench.WatchAsync(campaign);
        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal(0, (long)stats["unknown"]!);
        Assert.Equal(1000, (long)stats["accepted"]!);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task Filter_ChoosesTheAudience()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(90);
        var campaign = await bench.CampaignAsync(
            await bench.ProviderAsync(), new JsonObject { ["audience"] = JsonNode.Parse("""{"filter": {"attribute": "plan", "op": "eq", "value": "gold"}}""") });
        await bench.ActAsync(campaign, "start");
        Assert.Equal(30, (long)(await bench.WatchAsync(campaign))["accepted"]!);
    }

    [Fact]
    public async Task Start_OfWhatDoesNotFit_SaysWhereAndChangesNothing()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        var provider = await bench.ProviderAsync(more: new JsonObject
        {
            ["parameters"] = JsonNode.Parse(
                """{"hid": "$$hid", "msgs": [{"f": "$$FromName", "a": "$$FromAddress", "to": "$$To", "h": "$$HTML", "s": "$$Subject", "m": "$$MessageID"}]}"""),
        });
        var campaign = await bench.CampaignAsync(provider);

        using var answer = await bench.Client.PostAsync($"/v1/campaigns/{campaign}/start", null);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.NotNull(problem["errors"]!["/values/hid"]);
        Assert.Equal("draft", (string)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}")))["status"]!);
    }
}
