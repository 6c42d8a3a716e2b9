using System.Globalization;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(ClusterFire.Name)]
public sealed class SiloKillTests(ClusterPostgres postgres)
{
    private const int Size = 100;
    private static readonly TimeSpan ResumeMax = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan ResumeAfterStartMax = TimeSpan.FromSeconds(30);

    /// <summary>F1: at 10, 50 and 90 percent another silo is killed; the others take its partitions over, and it comes back.</summary>
    [Fact]
    public async Task Sigkill_OfOneSilo_TheOthersGoOnWithItsWork()
    {
        var people = FireSize.Of(ci: 6000, full: 100_000);
        // Answers take long, so that a kill meets requests on a busy machine too.
        var behaviour = new SandboxBehaviour { LatencyMilliseconds = 1000, LatencyJitterMilliseconds = 400 };
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), behaviour: behaviour);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(Size, FireSize.Of(ci: 9, full: 24));
        await bench.StartCampaignAsync(campaign);
        var (unknownMax, hits, slowest) = (0, 0, TimeSpan.Zero);
        // In CI one that has requests open is enough.
        foreach (var (silo, percent) in bench.Silos.Zip([10, 50, 90]).TakeWhile(_ => FireSize.IsFull || hits == 0))
        {
            await bench.WaitForShareAsync(people / Size * percent / 100);
            var killed = TimeProvider.System.GetUtcNow();
            hits += await bench.KillAsync(silo) > 0 ? 1 : 0;
            unknownMax += (await FireLedger.ReadAsync(bench, campaign)).OnTheWire;
            var recovery = await bench.ResumedAsync(killed);
            Assert.InRange(recovery, TimeSpan.Zero, ResumeMax);
            slowest = recovery > slowest ? recovery : slowest;
            await bench.StartAllAsync();
        }

        Assert.True(hits > 0, "No kill met an open request.");
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax)).Report("F1: SIGKILL of one of three silos at 10, 50, 90 %", hits, slowest);
    }

    /// <summary>F2: all are killed, and come back; then again, at new addresses, as pods do: nobody may wait for those that are gone.</summary>
    [Fact]
    public async Task Sigkill_OfAll_TheyGoOnSoonAfterTheirStart()
    {
        var people = FireSize.Of(ci: 4000, full: 100_000);
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 300 });
        await bench.ImportAsync(people, partitions: 8);
        var campaign = await bench.CampaignAsync(Size, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        var (uncertain, same, moved) = (0, TimeSpan.Zero, TimeSpan.Zero);
        foreach (var move in new[] { false, true })
        {
            await bench.WaitForRequestsAsync(6);
            await Task.WhenAll(bench.Silos.Select(static silo => silo.KillAsync()));
            await bench.SettleAsync();
            var left = await FireLedger.ReadAsync(bench, campaign);
            // On the wire at this kill, beside what the one before left.
            Assert.InRange(left.OnTheWire + left.Unknown, uncertain + 1, people);
            uncertain = left.OnTheWire + left.Unknown;
            bench.Silos.Where(_ => move).ToList().ForEach(static silo => silo.Move());

            var started = TimeProvider.System.GetTimestamp();
            await bench.StartAllAsync();
            await bench.WaitForRequestsAsync(1);
            var recovery = TimeProvider.System.GetElapsedTime(started);
            Assert.InRange(recovery, TimeSpan.Zero, ResumeAfterStartMax + bench.FirstStart);
            (same, moved) = move ? (same, recovery) : (recovery, moved);
        }

        var verdict = await FireVerdict.HoldsAsync(bench, campaign, people, uncertain);
        verdict.Report("F2: SIGKILL of all silos, same addresses", 1, same);
        verdict.Report("F2: SIGKILL of all silos, new addresses", 1, moved);
    }

    /// <summary>F3: the seed is printed with the result; <c>GHE_FIRE_SEED</c> repeats it, <c>GHE_FIRE_KILLS</c> makes it longer.</summary>
    [Fact]
    public async Task RandomSigkills_OverAllSilos_LoseNobody()
    {
        var kills = FireSize.Number("GHE_FIRE_KILLS") ?? FireSize.Of(ci: 3, full: 20);
        var seed = FireSize.Number("GHE_FIRE_SEED") ?? Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"GHE_FIRE_SEED={seed}"));
        var random = new Random(seed);
        var people = (kills + 1) * 1000;
        // Answers take long, so that a kill meets requests on a busy machine too.
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = 1000, LatencyJitterMilliseconds = 400 });
        await bench.ImportAsync(people, partitions: 16);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 24);
        await bench.StartCampaignAsync(campaign);
        var (unknownMax, hits) = (0, 0);
        for (var i = 0; (i < kills || hits == 0) && await bench.StatusAsync(campaign) == "running"; i++)
        {
            await bench.WaitForRequestsAsync(random.Next(5, 30));
            var silo = bench.Silos[random.Next(bench.Silos.Count)];
            hits += await bench.KillAsync(silo) > 0 ? 1 : 0;
            unknownMax += (await FireLedger.ReadAsync(bench, campaign)).OnTheWire;
            await silo.StartAsync();
        }

        Assert.True(hits > 0, "No kill met an open request.");
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax)).Report($"F3: random SIGKILLs over three silos, seed {seed}", hits, TimeSpan.Zero);
    }
}
