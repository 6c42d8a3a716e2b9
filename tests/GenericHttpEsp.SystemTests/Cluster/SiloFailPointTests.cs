using System.Net;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos, of which one ends itself at a named place of sending, or each at another one of taking a callback body.</summary>
[Collection(ClusterFire.Name)]
public sealed class SiloFailPointTests(ClusterPostgres postgres)
{
    /// <summary>F4: one silo ends itself, the others take its work over, and it comes back without the fail point.</summary>
    [Theory]
    [InlineData(FailPoints.BeforeClaimCommit)]
    [InlineData(FailPoints.AfterClaimCommit)]
    [InlineData(FailPoints.AtGate)]
    [InlineData(FailPoints.AfterAnswer)]
    [InlineData(FailPoints.BeforeOutcomeCommit)]
    [InlineData(FailPoints.AfterOutcomeCommit)]
    public async Task End_WhileSending_LosesNobody(string point)
    {
        var people = FireSize.Of(ci: 2000, full: 20_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 300 }, failPoints: [$"{point}:2"]);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 6);
        await bench.StartCampaignAsync(campaign, bench.Silos[1].Server.Client);

        var silo = bench.Silos[0];
        await silo.CrashAsync();
        var left = await FireLedger.ReadAsync(bench, campaign);
        var ended = TimeProvider.System.GetUtcNow();
        await silo.StartAsync();

        var recovery = await bench.ResumedAsync(ended);
        (await FireVerdict.HoldsAsync(bench, campaign, people, left.Unknown + left.OnTheWire)).Report($"F4: {point} in one of three silos", 1, recovery);
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
}
