using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>A process that is stopped and goes on later (a debugger, a live migration, a starved machine) does not know that time has passed.</summary>
public sealed class PauseTests
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1500);

    // A request whose head is sent and whose body is not ends after the pause only.
    private static readonly TimeSpan SettleMax = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(FailPoints.AfterClaimCommit)]
    [InlineData(FailPoints.BeforeClaimCommit)]
    public async Task Sigstop_BetweenClaimAndGate_SendsNothingLate(string point)
    {
        const int People = 600;
        await using var bench = await FireBench.StartAsync($"{point}:5:stop");
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 4);
        await bench.StartCampaignAsync(campaign);

        await bench.Server.StoppedAsync(TestContext.Current.CancellationToken);
        await PauseAsync(bench);
        var continued = TimeProvider.System.GetTimestamp();
        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(continued);

        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report($"SIGSTOP {point}, 1.5 s", 1, recovery);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    [Fact]
    public async Task Sigstops_AtAnyMoment_SendNothingLate()
    {
        const int People = 3000;
        const int Pauses = 4;
        await using var bench = await FireBench.StartAsync(behaviour: new SandboxBehaviour { LatencyMilliseconds = 5, LatencyJitterMilliseconds = 20 });
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 5, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        for (var i = 0; i < Pauses; i++)
        {
            await bench.WaitForRequestsAsync(25);
            await bench.Server.SendAsync("STOP", TestContext.Current.CancellationToken);
            await bench.Server.StoppedAsync(TestContext.Current.CancellationToken);
            await PauseAsync(bench);
        }

        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report("SIGSTOP at any moment, 1.5 s", Pauses, TimeSpan.Zero);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    private static async Task PauseAsync(FireBench bench)
    {
        // The one thing that is waited for here is time.
        await Task.Delay(Pause, TestContext.Current.CancellationToken);
        await bench.SettleAsync(SettleMax);
        await bench.Server.SendAsync("CONT", TestContext.Current.CancellationToken);
    }
}
