using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Silos that end in order, and one that stands still for longer than the others believe in it.</summary>
[Collection(ClusterFire.Name)]
public sealed class SiloStopTests(ClusterPostgres postgres)
{
    private const int Size = 100;

    // The benches' attempt limit of 3 s, and 10 s.
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(13);

    /// <summary>F5: a rolling restart while all send.</summary>
    [Fact]
    public async Task Sigterm_OfEachInTurn_LeavesNothingUnknown()
    {
        var people = FireSize.Of(ci: 8000, full: 100_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 700, LatencyJitterMilliseconds = 400 });
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(Size, concurrency: 3);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(3);
        var (slowest, whileSending) = (TimeSpan.Zero, 0);
        foreach (var silo in bench.Silos)
        {
            whileSending += await bench.StatusAsync(campaign) == "running" ? 1 : 0;
            var asked = TimeProvider.System.GetTimestamp();
            await silo.TermAsync();
            var took = TimeProvider.System.GetElapsedTime(asked);
            Assert.InRange(took, TimeSpan.Zero, EndMax);
            slowest = took > slowest ? took : slowest;
            await silo.StartAsync();
        }

        Assert.True(whileSending >= 2, "The campaign was over too soon.");
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0)).Report("F5: SIGTERM of each silo in turn; seconds to end", bench.Silos.Count, slowest);
    }

    /// <summary>F21: the others declare it dead and work on; when it goes on it sends nothing late, and ends by itself with a code that says: start me again.</summary>
    [Fact]
    public async Task Sigstop_ForLongerThanTheOthersWait_SendsNothingLateAndEnds()
    {
        var people = FireSize.Of(ci: 8000, full: 100_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 500, LatencyJitterMilliseconds = 400 });
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(Size, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(6);
        // The last one: the first does the import and may hold everything else.
        var silo = bench.Silos[^1];

        await silo.StopAsync();
        var stopped = TimeProvider.System.GetUtcNow();
        var left = await FireLedger.ReadAsync(bench, campaign);
        var recovery = await bench.ResumedAsync(stopped);
        await bench.MetAsync(bench.Silos.Count - 1);
        if (FireSize.IsFull)
        {
            // The one thing that is waited for here is time.
            await Task.Delay(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }

        await silo.ContinueAsync();
        Assert.Equal(ClusterBench.DeclaredDead, await silo.EndAsync());
        Assert.Contains("start it again", silo.Server.Output, StringComparison.Ordinal);
        await bench.StartAllAsync();
        (await FireVerdict.HoldsAsync(bench, campaign, people, left.OnTheWire)).Report("F21: SIGSTOP until declared dead, then SIGCONT", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }
}
