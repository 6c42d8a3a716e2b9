using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>What ESP answers do to a campaign, from the client's side.</summary>
public sealed class AnswerFlowTests(PostgresServer server)
{
    [Fact]
    public async Task OneBadRecordOfAThousand_IsFoundInAtMostTwentyOneCalls()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(2000);
        var first = await bench.CampaignAsync(await bench.ProviderAsync(1000), new JsonObject { ["audience"] = JsonNode.Parse("""{"filter": {"attribute": "name", "op": "eq", "value": "Person 3"}}""") });
        await bench.ActAsync(first, "start");
        await bench.WatchAsync(first);
        var before = bench.Sandbox.Summary().Requests;
        bench.Sandbox.Behaviour = new SandboxBehaviour { RefusedAddresses = ["p77@example.com"] };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(1000));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal(1999, (long)stats["accepted"]!);
        Assert.Equal(1, (long)stats["refused"]!);
        Assert.InRange(bench.Sandbox.Summary().Requests - before, 2, 22);
    }

    [Fact]
    public async Task Refusal_OfEverything_PausesWithTheEspsWords_AndLosesNobody()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(400);
        bench.Sandbox.Behaviour = new SandboxBehaviour
        {
            Script = Enumerable.Range(1, 200).ToDictionary(static n => n, static _ => new SandboxAnswer { Action = SandboxAction.Refuse, Status = 400, Body = "no such sender domain" }),
        };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(100));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign, static stats => (string)stats["status"]! == "paused");

        Assert.Contains("no such sender domain", (string)stats["reason"]!, StringComparison.Ordinal);
        Assert.True(bench.Sandbox.Summary().Requests < 20);
        bench.Sandbox.Behaviour = new SandboxBehaviour();
        await bench.ActAsync(campaign, "resume");
        Assert.Equal(400, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task Unauthorized_PausesEveryCampaignOfTheProvider()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(200);
        bench.Sandbox.Behaviour = new SandboxBehaviour
        {
            Script = Enumerable.Range(1, 200).ToDictionary(static n => n, static _ => new SandboxAnswer { Action = SandboxAction.Refuse, Status = 401, Body = "bad key" }),
        };
        var provider = await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 1 } });
        var one = await bench.CampaignAsync(provider);
        var two = await bench.CampaignAsync(provider);
        await bench.ActAsync(one, "start");
        await bench.ActAsync(two, "start");

        foreach (var campaign in (long[])[one, two])
        {
            var stats = await bench.WatchAsync(campaign, static stats => (string)stats["status"]! == "paused");
            Assert.Contains("401", (string)stats["reason"]!, StringComparison.Ordinal);
            Assert.Equal(200, (long)stats["toCome"]!);
        }

        bench.Sandbox.Behaviour = new SandboxBehaviour();
        await bench.ActAsync(one, "resume");
        Assert.Equal(200, (long)(await bench.WatchAsync(one))["accepted"]!);
        await bench.HoldsAsync(one);
    }

    [Fact]
    public async Task TooLarge_IsHalvedAndLearnt()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(800);
        bench.Sandbox.Behaviour = new SandboxBehaviour { MaxBodyBytes = 30_000 };
        var provider = await bench.ProviderAsync(200);
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");

        Assert.Equal(800, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        var refused = bench.Sandbox.Entries().Count(static entry => entry.Status == 413);
        Assert.InRange(refused, 1, 12);
        await bench.HoldsAsync(campaign);
        // 0.9 of a refused size may still be too large: the next campaigns learn the rest, the last one is refused nothing.
        for (var more = 0; more < 4; more++)
        {
            refused = bench.Sandbox.Entries().Count(static entry => entry.Status == 413);
            var next = await bench.CampaignAsync(provider);
            await bench.ActAsync(next, "start");
            Assert.Equal(800, (long)(await bench.WatchAsync(next))["accepted"]!);
        }

        Assert.Equal(refused, bench.Sandbox.Entries().Count(static entry => entry.Status == 413));
    }

    [Fact]
    public async Task PartialAcceptance_KeepsTheAccepted()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(100);
        bench.Sandbox.Behaviour = new SandboxBehaviour
        {
            AnswerShape = SandboxAnswerShape.Postmark,
            RefusePartially = true,
            RefusedAddresses = ["p5@example.com", "p55@example.com"],
        };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(40, new JsonObject
        {
            ["response"] = JsonNode.Parse("""{"records": {"path": "", "matchBy": "position", "accepted": {"path": "ErrorCode", "equals": 0}}}"""),
        }));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal(98, (long)stats["accepted"]!);
        Assert.Equal(2, (long)stats["refused"]!);
        await bench.HoldsAsync(campaign);

        bench.Sandbox.Behaviour = new SandboxBehaviour { AnswerShape = SandboxAnswerShape.Postmark };
        var again = await bench.ActAsync(campaign, "retry-failed");
        Assert.Equal(2, (int)again["run"]!);
        stats = await bench.WatchAsync(campaign);
        Assert.Equal(100, (long)stats["accepted"]!);
        Assert.Equal(100, (long)stats["audience"]!);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task LostAnswers_WithAKeyTheEspRemembers_AreRepeatedAndAcceptedOnce()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, new SandboxOptions { BatchKeyPath = "key" });
        await bench.ImportAsync(300);
        bench.Sandbox.Behaviour = new SandboxBehaviour { HonourBatchKey = true, AcceptThenCloseShare = 0.4 };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(25, new JsonObject
        {
            ["onUnknown"] = "retry",
            ["idempotency"] = new JsonObject { ["keyLifetimeSeconds"] = 3600 },
        }));
        await bench.ActAsync(campaign, "start");
        bench.Sandbox.Behaviour = bench.Sandbox.Behaviour with { AcceptThenCloseShare = 0.2 };

        var stats = await bench.WatchAsync(campaign);

        Assert.True((long)stats["accepted"]! >= 275, stats.ToJsonString());
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task Unknown_IsListedAndResolved_ThenRetried()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, new SandboxOptions { BatchKeyPath = "key" });
        await bench.ImportAsync(60);
        bench.Sandbox.Behaviour = new SandboxBehaviour
        {
            Script = new Dictionary<int, SandboxAnswer> { [1] = new() { Action = SandboxAction.CloseAfterBody }, [2] = new() { Action = SandboxAction.AcceptThenClose } },
        };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 1 } }));
        await bench.ActAsync(campaign, "start");
        Assert.Equal(40, (long)(await bench.WatchAsync(campaign))["unknown"]!);
        var listed = (await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/unknown")))["items"]!.AsArray();
        Assert.Equal(2, listed.Count);
        var accepted = bench.Sandbox.Entries().Where(static entry => entry.Request == 2 && entry.BatchKey is not null).Select(static entry => entry.BatchKey).First();

        foreach (var batch in listed)
        {
            await CampaignBench.OkAsync(bench.Client.PostAsJsonAsync(
                $"/v1/campaigns/{campaign}/unknown/resolve",
                new { batchIds = (long[])[(long)batch!["batchId"]!], outcome = (string)batch["key"]! == accepted ? "accepted" : "notSent" }));
        }

        await bench.ActAsync(campaign, "retry-failed");
        var stats = await bench.WatchAsync(campaign);
        Assert.Equal(60, (long)stats["accepted"]!);
        await bench.HoldsAsync(campaign);
        Assert.Equal(60, bench.Sandbox.Summary().DistinctAddresses);
    }
}
