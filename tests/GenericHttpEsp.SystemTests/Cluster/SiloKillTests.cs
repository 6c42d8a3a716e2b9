using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(ClusterFire.Name)]
public sealed class SiloKillTests(ClusterPostgres postgres)
{
    [Fact]
    public async Task Nothing_Happens_EverybodyGetsOne()
    {
        await using var bench = await ClusterBench.StartAsync(postgres.Server);
        await bench.ImportAsync(3000, partitions: 8);
        var campaign = await bench.CampaignAsync(size: 100, concurrency: 8);
        await bench.StartCampaignAsync(campaign);
        (await FireVerdict.HoldsAsync(bench, campaign, 3000, unknownMax: 0)).Report("nothing", 1, TimeSpan.Zero);
    }
}
