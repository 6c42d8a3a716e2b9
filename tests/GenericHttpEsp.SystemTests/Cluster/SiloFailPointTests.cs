using System.Net;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos, of which one ends itself at a named place of sending, or each at another one of taking a callback body.</summary>
[Collection(ClusterFire.Name)]
public sealed class SiloFailPointTests(ClusterPostgres postgres)
{
    private static readonly string[] Places =
    [
        FailPoints.BeforeClaimCommit, FailPoints.AfterClaimCommit, FailPoints.AtGate, FailPoints.AfterAnswer, FailPoints.BeforeOutcomeCommit, FailPoints.AfterOutcomeCommit,
    ];

    /// <summary>F4: one silo ends itself at one place after the other, each time in a campaign of its own; the others take its work over, and it comes back.</summary>
    [Fact]
    public async Task End_AtEveryPlaceOfSending_LosesNobody()
    {
        var people = FireSize.Of(ci: 600, full: 20_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 300 }, failPoints: [$"{Places[0]}:2"]);
        var sent = new List<Sent>();
        foreach (var place in Places)
        {
            await bench.ImportAsync(people, partitions: 12, place);
            sent.Add(new Sent(place, await bench.CampaignAsync(size: 25, concurrency: 6, place)));
        }

        var (silo, ended) = (bench.Silos[0], DateTimeOffset.MinValue);
        foreach (var (i, one) in sent.Index())
        {
            await StartAsync(bench.Silos[1], one.Campaign);
            await silo.CrashAsync();
            ended = TimeProvider.System.GetUtcNow();
            Assert.Contains($"Fail point {one.Place} ", silo.Server.Output, StringComparison.Ordinal);
            foreach (var begun in sent.Take(i + 1))
            {
                var left = await FireLedger.ReadAsync(bench, begun.Campaign);
                begun.UnknownMax += left.OnTheWire + (begun == one ? left.Unknown : 0);
            }

            await silo.StartAsync(sent.ElementAtOrDefault(i + 1) is { } next ? $"{next.Place}:2" : null);
        }

        var recovery = await bench.ResumedAsync(ended);
        foreach (var one in sent)
        {
            (await FireVerdict.JudgeAsync(bench, one.Campaign, people, one.UnknownMax, one.Place)).Report($"F4: {one.Place} in one of three silos", 1, recovery);
        }

        await bench.EndServersAsync();
    }

    /// <summary>F27: each silo takes a body of its own and ends inside it; what was acknowledged is there, and posted again it counts once.</summary>
    [Fact]
    public async Task End_InsideACallback_PostedAgain_CountsOnce()
    {
        const int EachType = 4;
        string[] points = [$"{FailPoints.AfterForbidCommit}:3", $"{FailPoints.BeforeEventsCommit}:1", $"{FailPoints.AfterEventsCommit}:1"];
        var each = EachType * FireCallbacks.TypeCount;
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), failPoints: points);
        var people = each * points.Length;
        await bench.ImportAsync(people, partitions: 1);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 4);
        await bench.StartCampaignAsync(campaign);
        await bench.EndAsync(campaign);
        var callbacks = await FireCallbacks.OfAsync(bench, campaign);
        var bodies = Enumerable.Range(0, points.Length).Select(i => callbacks.Body(i * each, each)).ToList();

        await Task.WhenAll(bodies.Zip(bench.Silos, (body, silo) => PostUntilItEndsAsync(callbacks, body, silo)));
        await Task.WhenAll(bench.Silos.Select(static silo => silo.CrashAsync()));
        await bench.StartAllAsync();

        var left = await FireEvents.ReadAsync(bench);
        Assert.Equal(each, left.Emails.Count);
        Assert.All(await Task.WhenAll(bodies.Select(body => callbacks.TryPostAsync(body, bench.NextDoor()))), Assert.True);
        var once = await FireEvents.ReadAsync(bench);
        Assert.Equal(FireCallbacks.Counters(EachType * points.Length), once.Counters);
        Assert.Equal(3L * EachType * points.Length, once.Forbidden);
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0)).Report("F27: ends inside callback bodies of three silos", points.Length, TimeSpan.Zero);
    }

    /// <summary>503 while a recipient's grain is at a silo that has just ended: the ESP posts again.</summary>
    private static async Task PostUntilItEndsAsync(FireCallbacks callbacks, string body, ClusterSilo silo)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        try
        {
            while (true)
            {
                using var answer = await callbacks.PostAsync(body, silo.Server.Client);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                await tick.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (HttpRequestException)
        {
            // It has ended.
        }
    }

    /// <summary>503 while the campaign's grain is at the silo that has just ended; a start that was heard is not made twice.</summary>
    private static async Task StartAsync(ClusterSilo through, long campaign)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            using var answer = await through.Server.Client.PostAsync($"/v1/campaigns/{campaign}/start", null, limit.Token);
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>A campaign and the place at which a silo ended in it.</summary>
    private sealed class Sent(string place, long campaign)
    {
        public string Place => place;

        public long Campaign => campaign;

        /// <summary>Whoever was on the wire at an end.</summary>
        public int UnknownMax { get; set; }
    }
}
