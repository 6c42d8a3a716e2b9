using System.Globalization;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

public sealed class KillTests
{
    [Fact]
    public async Task Sigkill_WithRequestsOpen_CompletesByItselfAfterARestart()
    {
        const int People = 3000;
        await using var bench = await FireBench.StartAsync();
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 8);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(10);
        bench.Sandbox.Hold();
        using var limit = FireBench.Limit();
        await bench.Sandbox.WaitForHeldRequestsAsync(1, limit.Token);

        var left = await bench.KillAsync(campaign);
        var killed = TimeProvider.System.GetTimestamp();
        Assert.InRange(left.OnTheWire, 1, 8 * 50);
        await bench.RestartAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(killed);
        var verdict = await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: left.OnTheWire);
        Assert.True(verdict.Unknown > 0);
        verdict.Report("SIGKILL, requests open", 1, recovery);
    }

    /// <summary>Few slots, so that the next claim waits for one; and more than are ever used, so that only the end of the silo stops the next claim.</summary>
    [Theory]
    [InlineData(8, 3000, 100)]
    [InlineData(512, 12_000, 400)]
    public async Task Sigterm_InTheMiddle_EndsWithZeroAndNothingUnknown(int concurrency, int people, int latencyMilliseconds)
    {
        await using var bench = await FireBench.StartAsync(behaviour: new SandboxBehaviour { LatencyMilliseconds = latencyMilliseconds });
        await bench.ImportAsync(people);
        var campaign = await bench.CampaignAsync(size: 20, concurrency);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(20);

        Assert.Equal(0, await bench.Server.SignalAsync("TERM", TestContext.Current.CancellationToken));
        var ended = TimeProvider.System.GetTimestamp();
        var left = await bench.LeftAsync(campaign);
        Assert.Equal((0, 0), (left.OnTheWire, left.Unknown));
        Assert.InRange(left.Outcomes.Count, 20, people - 1);
        await bench.RestartAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(ended);
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0)).Report($"SIGTERM, {concurrency} slots", 1, recovery);
    }

    /// <summary>The seed is printed with the result; <c>GHE_FIRE_SEED</c> repeats it, <c>GHE_FIRE_KILLS</c> makes it longer.</summary>
    [Fact]
    public async Task RandomSigkills_InOneCampaign_LoseNobody()
    {
        var kills = Number("GHE_FIRE_KILLS") ?? 3;
        var seed = Number("GHE_FIRE_SEED") ?? Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"GHE_FIRE_SEED={seed}");
        var random = new Random(seed);
        var people = 2000 + (kills * 1000);
        await using var bench = await FireBench.StartAsync(behaviour: new SandboxBehaviour { LatencyMilliseconds = 10, LatencyJitterMilliseconds = 60 });
        await bench.ImportAsync(people);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 8);
        await bench.StartCampaignAsync(campaign);
        var unknownMax = 0;
        var slowest = TimeSpan.Zero;
        for (var hits = 0; hits < kills;)
        {
            await bench.WaitForRequestsAsync(random.Next(10, 60));
            var left = await bench.KillAsync(campaign);
            var killed = TimeProvider.System.GetTimestamp();
            hits += left.OnTheWire > 0 ? 1 : 0;
            unknownMax = left.Unknown + left.OnTheWire;
            await bench.RestartAsync();
            await bench.WaitForRequestsAsync(1);
            var recovery = TimeProvider.System.GetElapsedTime(killed);
            slowest = recovery > slowest ? recovery : slowest;
        }

        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax)).Report($"random SIGKILLs, seed {seed}", kills, slowest);
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
