using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;
using GenericHttpEsp.Tests.Campaigns;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(UnharmedFire.Name)]
public sealed class CampaignClusterTests(UnharmedCluster cluster)
{
    // A head that is in the sandbox's socket waits for a thread of this busy process before it is logged.
    private const int LogLagMilliseconds = 100;
    private static readonly string[] Buttons = ["start", "pause", "pause", "resume", "resume", "stop"];

    private ClusterBench Bench => cluster.Bench;

    /// <summary>F29: people leave by link, by API and by callback, through any silo, while all silos send: nobody is in a request that begins after his acknowledgement.</summary>
    [Fact]
    public async Task Unsubscribed_ThroughAnySilo_IsInNoLaterRequest()
    {
        var people = FireSize.Of(ci: 4000, full: 100_000);
        var leaving = FireSize.Of(ci: 400, full: 10_000);
        const int Callers = 16;
        await Bench.ImportAsync(people, partitions: 12, "leave");
        var provider = await Bench.ProviderAsync(size: 50, concurrency: 4, "leave");
        var first = await SendAsync(provider, "leave");
        await Bench.EndAsync(first);
        var callbacks = await FireCallbacks.OfAsync(Bench, first);
        var links = Links("leave");
        var acknowledged = new AcknowledgementLog();
        var random = new Random(7);
        var persons = Enumerable.Range(0, people).OrderBy(_ => random.Next()).Take(leaving).ToList();
        var start = Bench.Sandbox.Entries()[^1].Sequence;
        Bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 300, LatencyJitterMilliseconds = 300 };
        var campaign = await SendAsync(provider, "leave");

        await Parallel.ForEachAsync(persons.Index(), new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (one, _) =>
        {
            var email = callbacks.Email(one.Item);
            await LeaveAsync(one.Index % 3, email, links.GetValueOrDefault(email), callbacks.Unsubscribed(one.Item), callbacks);
            acknowledged.Read(email);
        });
        var stats = await Bench.EndAsync(campaign);

        Bench.Sandbox.Behaviour = new SandboxBehaviour();
        var late = acknowledged.LateBy(Bench.Sandbox.Entries(start));
        Assert.DoesNotContain(late, static milliseconds => milliseconds > LogLagMilliseconds);
        Assert.Equal(leaving, acknowledged.Count);
        // Enough of them were still to come, so that it meant something.
        Assert.InRange((int)stats["skippedByReason"]!["unsubscribed"]!, leaving / 10, leaving);
        var audit = await FireDriver.OkAsync(Bench.Door.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        new FireVerdict(0, 0, 0, 0).Report($"F29: {leaving} leave through any silo while all send; {late.Count} heads logged late, at most {late.DefaultIfEmpty().Max():f1} ms", 1, TimeSpan.Zero);
    }

    /// <summary>F33: a small campaign beside a large one of the same provider.</summary>
    [Fact]
    public async Task SmallCampaign_BesideALargeOne_IsSoonDone()
    {
        var people = FireSize.Of(ci: 8000, full: 1_000_000);
        await Bench.ImportAsync(people, partitions: 12, "large");
        await Bench.ImportAsync(100, partitions: 1, "small");
        var provider = await Bench.ProviderAsync(size: 100, concurrency: 2, "fair");
        Bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 1000 };
        var large = await SendAsync(provider, "large");
        await Bench.WaitForRequestsAsync(6);

        var asked = TimeProvider.System.GetTimestamp();
        var small = await SendAsync(provider, "small");
        await Bench.EndAsync(small);
        var took = TimeProvider.System.GetElapsedTime(asked);

        Assert.Equal("running", await Bench.StatusAsync(large));
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Bench.Sandbox.Behaviour = new SandboxBehaviour();
        await FireVerdict.JudgeAsync(Bench, small, 100, 0, "small");
        (await FireVerdict.JudgeAsync(Bench, large, people, 0, "large")).Report("F33: 100 people beside a large campaign; seconds for the small one", 1, took);
    }

    /// <summary>F35: clients at different silos press every button: one run at most, and nothing begins after an acknowledged stop or pause.</summary>
    [Fact]
    public async Task Buttons_PressedAtDifferentSilos_MakeOneRunAndStopWhatTheyStop()
    {
        const int People = 60;
        var campaigns = FireSize.Of(ci: 40, full: 1000);
        var seed = FireSize.Number("GHE_FIRE_SEED") ?? Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"GHE_FIRE_SEED={seed}");
        await Bench.ImportAsync(People, partitions: 2, "buttons");
        var provider = await Bench.ProviderAsync(size: 4, concurrency: 8, "buttons");
        Bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 20 };
        var logs = new Dictionary<long, RaceLog>();
        for (var i = 0; i < campaigns; i++)
        {
            logs[await Bench.CampaignAsync(provider, "buttons")] = new RaceLog();
        }

        await Parallel.ForEachAsync(logs.Index(), new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (one, _) =>
            await RaceAsync(one.Item.Key, one.Item.Value, seed + one.Index));

        var requests = RaceLog.Requests(Bench.Sandbox.Entries());
        foreach (var (campaign, log) in logs)
        {
            var late = log.Late(requests[campaign].Select(static request => request.Head));
            Assert.True(late == 0, $"Campaign {campaign}, seed {seed}: {late} requests after an acknowledged stop or pause.");
            var metas = requests[campaign].SelectMany(static request => request.End.MessageIds!).ToList();
            Assert.Equal(metas.Count, metas.Distinct().Count());
            await SettledAsync(campaign, People);
        }

        Bench.Sandbox.Behaviour = new SandboxBehaviour();
        new FireVerdict(0, 0, 0, 0).Report($"F35: buttons of {campaigns} campaigns pressed at three silos, seed {seed}", campaigns, TimeSpan.Zero);
    }

    private async Task RaceAsync(long campaign, RaceLog log, int seed) =>
        await Task.WhenAll(Bench.Silos.Select((silo, i) => Task.Run(async () =>
        {
            var random = new Random((seed * Bench.Silos.Count) + i);
            await log.ActAsync(silo.Server.Client, campaign, "start");
            for (var act = 0; act < 4; act++)
            {
                await log.ActAsync(silo.Server.Client, campaign, Buttons[random.Next(Buttons.Length)]);
            }
        })));

    /// <summary>Whoever is paused goes on to the end; then everybody is somewhere, once, and the recount holds.</summary>
    private async Task SettledAsync(long campaign, int people)
    {
        (await Bench.Door.PostAsync($"/v1/campaigns/{campaign}/resume", null)).Dispose();
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        JsonNode stats;
        while ((long)(stats = await FireDriver.OkAsync(Bench.NextDoor().GetAsync($"/v1/campaigns/{campaign}/stats")))["toCome"]! > 0)
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        Assert.Equal((people, 0), ((int)stats["audience"]!, (int)stats["unknown"]!));
        Assert.Equal(people, (int)stats["accepted"]! + (int)stats["skipped"]!);
        Assert.Equal(1, (int)(await FireDriver.OkAsync(Bench.Door.GetAsync($"/v1/campaigns/{campaign}")))["run"]!);
        var audit = await FireDriver.OkAsync(Bench.Door.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
    }

    private async Task LeaveAsync(int way, string email, string? link, string body, FireCallbacks callbacks)
    {
        var door = Bench.NextDoor();
        if (way == 0)
        {
            Assert.True(await callbacks.TryPostAsync(body, door));
            return;
        }

        using var answer = way == 1 && link is not null
            ? await door.PostAsync(link, null)
            : await door.PutAsJsonAsync($"/v1/recipients/{email}/subscription", new { status = "unsubscribed" });
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}");
    }

    /// <summary>Links as people have them: from the messages that the sandbox still holds.</summary>
    private Dictionary<string, string> Links(string list) => Bench.Sandbox.Bodies
        .SelectMany(static body => JsonNode.Parse(body.Body.Span)!["msgs"]!.AsArray())
        .Where(record => ((string)record!["to"]!).EndsWith($"@{list}.com", StringComparison.Ordinal))
        .DistinctBy(static record => (string)record!["to"]!)
        .ToDictionary(static record => (string)record!["to"]!, static record => new Uri((string)record!["unsubscribe"]!).AbsolutePath);

    private async Task<long> SendAsync(long provider, string list)
    {
        var campaign = await Bench.CampaignAsync(provider, list);
        await Bench.StartCampaignAsync(campaign);
        return campaign;
    }
}
