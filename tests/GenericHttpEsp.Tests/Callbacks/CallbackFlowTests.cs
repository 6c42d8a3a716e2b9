using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class CallbackFlowTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Campaign_WithTheSandboxsCallbacks_CountsThem_AndTheNextSkipsWhoeverLeft(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 400);
        var sandbox = bench.Campaigns.Sandbox;
        sandbox.Behaviour = new SandboxBehaviour
        {
            Callbacks = new SandboxCallbackPlan
            {
                CallbackUrl = bench.CallbackUrl,
                HardBounceShare = 0.05,
                SoftBounceShare = 0.05,
                DeliveredShare = 1,
                ClickedShare = 0.3,
                SpamShare = 0.02,
                UnsubscribedShare = 0.03,
                DuplicateShare = 0.3,
                Shuffle = true,
                DelayJitterMilliseconds = 300,
                EventsPerBody = 100,
            },
        };
        var first = await bench.Campaigns.CampaignAsync(bench.Provider);
        await bench.Campaigns.ActAsync(first, "start");
        await bench.Campaigns.WatchAsync(first);
        await sandbox.WaitForCallbacksAsync(TestContext.Current.CancellationToken);

        var summary = sandbox.Summary();
        Assert.Equal((0, 0), (summary.CallbacksFailed, summary.CallbacksUnprocessed));
        var stats = await bench.Campaigns.StatsAsync(first);
        Assert.Equal(400, (long)stats["delivered"]! + (long)stats["hardBounce"]! + (long)stats["softBounce"]!);
        Assert.True((long)stats["clicked"]! > 0 && (long)stats["spam"]! > 0 && (long)stats["unsubscribed"]! > 0 && (long)stats["softBounce"]! > 0);
        Assert.Equal((long)stats["clicked"]!, (long)stats["clickedUnique"]!);
        Assert.Equal((await bench.StateAsync()).Counters, await CallbackState.RecountAsync(bench.Database));

        sandbox.Behaviour = new SandboxBehaviour();
        var gone = 0L;
        foreach (var person in Enumerable.Range(0, 400))
        {
            gone += await bench.StatusAsync(person) == "unsubscribed" ? 1 : 0;
        }

        var second = await bench.Campaigns.CampaignAsync(bench.Provider);
        await bench.Campaigns.ActAsync(second, "start");
        var after = await bench.Campaigns.WatchAsync(second);
        Assert.True(gone >= (long)stats["hardBounce"]!);
        Assert.Equal(gone, (long)after["skippedByReason"]!["unsubscribed"]!);
        Assert.Equal(400 - gone, (long)after["accepted"]!);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LateCallback_ProvesAnUnknownRecord_AndNoOther(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 20);
        var provider = await bench.Campaigns.ProviderAsync(10);
        bench.Campaigns.Sandbox.Behaviour = new SandboxBehaviour { Script = new Dictionary<int, SandboxAnswer> { [1] = new() { Action = SandboxAction.AcceptThenClose } } };
        var campaign = await bench.Campaigns.CampaignAsync(provider);
        await bench.Campaigns.ActAsync(campaign, "start");
        var stats = await bench.Campaigns.WatchAsync(campaign);
        Assert.Equal((10, 10), ((long)stats["accepted"]!, (long)stats["unknown"]!));
        var lost = Assert.Single(bench.Campaigns.Sandbox.Bodies, static body => body.Request == 1);
        var record = JsonNode.Parse(lost.Body.Span)!["msgs"]![3]!;

        var answer = await bench.AcceptedAsync(new JsonObject { ["type"] = "clicked", ["email"] = (string)record["to"]!, ["meta"] = (string)record["mid"]! });

        Assert.Equal(1, (int)answer["PROCESSED_EVENTS"]!);
        stats = await bench.Campaigns.StatsAsync(campaign);
        Assert.Equal((11, 9), ((long)stats["accepted"]!, (long)stats["unknown"]!));
        await bench.Campaigns.HoldsAsync(campaign);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Callback_BeforeTheAnswerIsLost_ProvesTheRecordAllTheSame(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 10);
        var sandbox = bench.Campaigns.Sandbox;
        sandbox.Behaviour = new SandboxBehaviour { AcceptThenCloseShare = 1 };
        sandbox.Hold();
        var campaign = await bench.Campaigns.CampaignAsync(await bench.Campaigns.ProviderAsync(10));
        await bench.Campaigns.ActAsync(campaign, "start");
        await sandbox.WaitForHeldRequestsAsync(1, TestContext.Current.CancellationToken);
        var record = JsonNode.Parse(sandbox.Bodies[0].Body.Span)!["msgs"]![3]!;

        await bench.AcceptedAsync(new JsonObject { ["type"] = "delivered", ["email"] = (string)record["to"]!, ["meta"] = (string)record["mid"]! });
        sandbox.Release();

        var stats = await bench.Campaigns.WatchAsync(campaign);
        Assert.Equal((1, 9), ((long)stats["accepted"]!, (long)stats["unknown"]!));
        await bench.Campaigns.HoldsAsync(campaign);
    }
}
