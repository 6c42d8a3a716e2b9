using System.Net;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos, and each ends itself at another named place of one campaign or one callback body.</summary>
[Collection(ClusterFire.Name)]
public sealed class SiloFailPointTests(ClusterPostgres postgres)
{
    /// <summary>F4. All end within a moment: silos that end one after the other as soon as they have taken the work over look like a campaign that kills them.</summary>
    [Theory]
    [InlineData(FailPoints.AfterClaimCommit, FailPoints.AfterAnswer, FailPoints.BeforeOutcomeCommit)]
    [InlineData(FailPoints.BeforeClaimCommit, FailPoints.AtGate, FailPoints.AfterOutcomeCommit)]
    public async Task End_WhileSending_LosesNobody(params string[] points)
    {
        var people = FireSize.Of(ci: 3000, full: 20_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 300 }, failPoints: [.. points.Select(static point => $"{point}:2")]);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 2);
        await bench.StartCampaignAsync(campaign);

        await Task.WhenAll(bench.Silos.Select(static silo => silo.CrashAsync()));
        await bench.SettleAsync();
        var left = await FireLedger.ReadAsync(bench, campaign);
        var started = TimeProvider.System.GetTimestamp();
        await bench.StartAllAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(started);
        // Those that ended early left claims that others have declared unknown since.
        (await FireVerdict.HoldsAsync(bench, campaign, people, left.Unknown + left.OnTheWire)).Report($"F4: {string.Join(", ", points)}", points.Length, recovery);
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
