using System.Net.Http.Json;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

public sealed class ResolveTests
{
    private const int People = 400;

    /// <summary>What the program cannot know, the ESP's log knows: with it, and one retry, everybody has exactly one message.</summary>
    [Fact]
    public async Task Unknown_ResolvedFromTheEspsLog_ThenRetried_ReachesEverybodyOnce()
    {
        var behaviour = new SandboxBehaviour
        {
            LatencyMilliseconds = 20,
            Script = new Dictionary<int, SandboxAnswer> { [3] = new() { Action = SandboxAction.AcceptThenClose }, [5] = new() { Action = SandboxAction.CloseAfterBody } },
        };
        await using var bench = await FireBench.StartAsync($"{FailPoints.AtGate}:15", behaviour);
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 4);
        await bench.StartCampaignAsync(campaign);
        await bench.CrashAsync();
        var left = await bench.LeftAsync(campaign);
        Assert.InRange(left.OnTheWire, 1, 40);
        await bench.RestartAsync();
        var killed = TimeProvider.System.GetTimestamp();
        await bench.EndAsync(campaign);

        var (accepted, notSent) = await ResolveAsync(bench, campaign);
        Assert.True(accepted > 0 && notSent > 0, $"{accepted} accepted, {notSent} not sent");
        await FireBench.OkAsync(bench.Server.Client.PostAsync($"/v1/campaigns/{campaign}/retry-failed", null));
        var stats = await bench.EndAsync(campaign);

        var recovery = TimeProvider.System.GetElapsedTime(killed);
        Assert.Equal((People, People), ((int)stats["audience"]!, (int)stats["accepted"]!));
        var audit = await FireBench.OkAsync(bench.Server.Client.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        Assert.Equal(0, await bench.Server.SignalAsync("TERM", TestContext.Current.CancellationToken));
        var taken = bench.Sandbox.Entries().SelectMany(static entry => entry.AcceptedAddresses).GroupBy(static address => address).ToList();
        Assert.Equal(People, taken.Count);
        Assert.All(taken, static one => Assert.Single(one));
        new FireVerdict(0, 0, 0, 0).Report($"fail point {FailPoints.AtGate}, {accepted + notSent} unknown resolved, retry-failed", 1, recovery);
    }

    /// <summary>Says of each request without an answer what the ESP's log says; answers how many records it had taken and not.</summary>
    private static async Task<(int Accepted, int NotSent)> ResolveAsync(FireBench bench, long campaign)
    {
        var taken = bench.Sandbox.Entries().Where(static entry => entry.Accepted > 0).Select(static entry => entry.BatchKey!).ToHashSet();
        var page = await FireBench.OkAsync(bench.Server.Client.GetAsync($"/v1/campaigns/{campaign}/unknown?limit=500"));
        var counts = new Dictionary<string, int> { ["accepted"] = 0, ["notSent"] = 0 };
        foreach (var batch in page["items"]!.AsArray())
        {
            var outcome = taken.Contains((string)batch!["key"]!) ? "accepted" : "notSent";
            var answer = await FireBench.OkAsync(bench.Server.Client.PostAsJsonAsync(
                $"/v1/campaigns/{campaign}/unknown/resolve", new { batchIds = (long[])[(long)batch["batchId"]!], outcome }));
            counts[outcome] += (int)answer["resolved"]!;
        }

        Assert.Empty((await FireBench.OkAsync(bench.Server.Client.GetAsync($"/v1/campaigns/{campaign}/unknown")))["items"]!.AsArray());
        return (counts["accepted"], counts["notSent"]);
    }
}
