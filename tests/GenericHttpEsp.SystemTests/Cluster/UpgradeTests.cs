using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(ClusterFire.Name)]
public sealed class UpgradeTests(ClusterPostgres postgres)
{
    /// <summary>
    /// F34: silos of the previous version are replaced one after the other in the middle of a campaign; in between both versions work side by side, on the
    /// schema of the present one. <c>GHE_FIRE_PREVIOUS</c> names the commit, since a clone need not have any history.
    /// </summary>
    [Fact]
    public async Task RollingUpgrade_InACampaign_LosesNobodyAndLeavesNothingUnknown()
    {
        var commit = Environment.GetEnvironmentVariable("GHE_FIRE_PREVIOUS");
        Assert.SkipWhen(string.IsNullOrEmpty(commit), "GHE_FIRE_PREVIOUS names no commit to upgrade from.");
        var people = FireSize.Of(ci: 8000, full: 100_000);
        using var previous = await PreviousVersion.BuildAsync(commit!, TestContext.Current.CancellationToken);
        var behaviour = new SandboxBehaviour { LatencyMilliseconds = 700, LatencyJitterMilliseconds = 400 };
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), behaviour: behaviour, program: previous.Program);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(size: 100, concurrency: 3);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(3);
        var whileSending = 0;
        foreach (var silo in bench.Silos)
        {
            whileSending += await bench.StatusAsync(campaign) == "running" ? 1 : 0;
            await silo.TermAsync();
            await silo.StartAsync();
            await bench.WaitForRequestsAsync(1);
        }

        Assert.True(whileSending >= 2, "The campaign was over too soon.");
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0)).Report($"F34: rolling upgrade from {commit}", bench.Silos.Count, TimeSpan.Zero);
    }
}
