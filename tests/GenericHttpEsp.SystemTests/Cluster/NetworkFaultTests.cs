using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Silos that do not hear each other, or not the database, in network namespaces.</summary>
[Collection(ClusterFire.Name)]
public sealed class NetworkFaultTests
{
    private const int Silos = 3;
    private const int Size = 50;
    private static readonly TimeSpan CutFor = TimeSpan.FromSeconds(FireSize.Of(ci: 20, full: 60));

    /// <summary>F19: each still reaches PostgreSQL and the ESP, so that work may be done at two places; the fences let one of them send.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SilosCutFromEachOther_SendNobodyTwice(bool bothWays)
    {
        FireSize.SkipUnlessFull(isInCi: bothWays);
        await using var network = await SiloNetwork.StartAsync(Silos);
        await using var postgres = await PostgresProcess.StartAsync(listen: $"127.0.0.1,{SiloNetwork.Host}");
        await using var bench = await ClusterBench.StartAsync(postgres, Silos, Slow, network: network);
        var (campaign, people) = await SendingAsync(bench);

        for (var from = 0; from < Silos; from++)
        {
            for (var to = 0; to < Silos; to++)
            {
                if (from != to && (bothWays || from < to))
                {
                    await SiloNetwork.DropAsync(from, to);
                }
            }
        }

        var left = await LastAsync(bench, campaign);
        await network.HealAsync();
        var healed = TimeProvider.System.GetUtcNow();
        var ended = await bench.RestartEndedAsync();
        var recovery = await bench.ResumedAsync(healed);

        (await FireVerdict.HoldsAsync(bench, campaign, people, left)).Report(
            $"F19: silos cut from each other, {(bothWays ? "both ways" : "one way")}; {ended} ended themselves", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    /// <summary>F20: one silo is cut from PostgreSQL; what it cannot claim it does not send, and what was late is closed.</summary>
    [Fact]
    public async Task OneSiloCutFromPostgres_SendsNothingUnclaimed()
    {
        FireSize.SkipUnlessFull();
        await using var network = await SiloNetwork.StartAsync(Silos);
        await using var postgres = await PostgresProcess.StartAsync(listen: $"127.0.0.1,{SiloNetwork.Host}");
        await using var bench = await ClusterBench.StartAsync(postgres, Silos, Slow, network: network);
        var (campaign, people) = await SendingAsync(bench);

        await SiloNetwork.DropPortAsync(Silos - 1, postgres.Port);
        var left = await LastAsync(bench, campaign);
        await network.HealAsync();
        var healed = TimeProvider.System.GetUtcNow();
        var ended = await bench.RestartEndedAsync();
        var recovery = await bench.ResumedAsync(healed);

        (await FireVerdict.HoldsAsync(bench, campaign, people, left)).Report($"F20: one silo cut from PostgreSQL; {ended} ended themselves", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    private static SandboxBehaviour Slow => new() { LatencyMilliseconds = 500, LatencyJitterMilliseconds = 300 };

    private static async Task<(long Campaign, int People)> SendingAsync(ClusterBench bench)
    {
        var people = FireSize.Of(ci: 6000, full: 50_000);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(Size, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(10);
        return (campaign, people);
    }

    /// <summary>The fault lasts. Answers how many may be unknown: those on the wire when it began and when it ended.</summary>
    private static async Task<int> LastAsync(ClusterBench bench, long campaign)
    {
        var began = await FireLedger.ReadAsync(bench, campaign);
        await Task.Delay(CutFor, TestContext.Current.CancellationToken);
        var ends = await FireLedger.ReadAsync(bench, campaign);
        return began.OnTheWire + ends.OnTheWire + ends.Unknown;
    }
}
