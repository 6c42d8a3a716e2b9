using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>F37: new silos on a copy of the database, taken half-way, while the original sends on.</summary>
[Collection(ClusterFire.Name)]
public sealed class CopyElsewhereTests
{
    private const int Size = 50;

    [Theory]
    [InlineData(false, "its server recovered from a crash or a backup")]
    [InlineData(true, "its database was copied to where it is now")]
    public async Task NewSilosOnACopy_SendNothingUntilAPersonResumes(bool isDump, string because)
    {
        var people = FireSize.Of(ci: 2500, full: 50_000);
        await using var postgres = await PostgresProcess.StartAsync();
        await using var bench = await ClusterBench.StartAsync(postgres, silos: FireSize.Of(ci: 1, full: 3));
        await bench.ImportAsync(people, partitions: 8);
        var provider = await bench.ProviderAsync(Size, 6, "acme", requestsPerSecond: FireSize.Of(ci: 4, full: 20));
        var running = await bench.CampaignAsync(provider, FireDriver.Everybody);
        var later = await LaterAsync(bench, provider);
        await bench.StartCampaignAsync(later);
        await bench.StartCampaignAsync(running);
        // A busy machine needs seconds for a copy, and the campaign must outlast it.
        await bench.WaitForShareAsync(people / Size / FireSize.Of(ci: 5, full: 2));

        await using var elsewhere = isDump ? await postgres.DumpElsewhereAsync(bench.Database) : await postgres.CloneAsync();
        Assert.Equal("running", await bench.StatusAsync(running));
        var began = TimeProvider.System.GetTimestamp();
        await using var copy = await ClusterBench.BesideAsync(bench, elsewhere.Here(bench.Database), FireSize.Of(ci: 1, full: 3));
        await HeldAsync(copy, running, because);
        await HeldAsync(copy, later, because);
        var recovery = TimeProvider.System.GetElapsedTime(began);

        var verdict = await FireVerdict.JudgeAsync(bench, running, people, unknownMax: 0);
        if (FireSize.IsFull)
        {
            // Nothing may come, for which there is no signal.
            await Task.Delay(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, await NotOfAsync(bench, running));
        Assert.Equal("scheduled", await bench.StatusAsync(later));
        // Not broken, but waiting: one call and it goes on.
        await copy.SettleAsync();
        await FireDriver.OkAsync(copy.Door.PostAsync($"/v1/campaigns/{running}/resume", null));
        await copy.WaitForRequestsAsync(1);
        await FireDriver.OkAsync(copy.Door.PostAsync($"/v1/campaigns/{running}/stop", null));
        Assert.NotEqual(0, await NotOfAsync(bench, running));
        await copy.EndServersAsync();
        await bench.EndServersAsync();
        verdict.Report($"F37: new silos on a {(isDump ? "dump" : "base backup")} taken half-way; seconds from their start until all is paused", 1, recovery);
    }

    private static async Task<long> LaterAsync(ClusterBench bench, long provider)
    {
        var campaign = new JsonObject
        {
            ["name"] = "later",
            ["providerId"] = provider,
            ["audience"] = new JsonObject { ["list"] = FireDriver.Everybody },
            ["subject"] = "Later",
            ["html"] = "<p>Later</p>",
            ["schedule"] = TimeProvider.System.GetUtcNow().AddYears(1).ToString("O"),
        };
        return (long)(await FireDriver.OkAsync(bench.Door.PostAsJsonAsync("/v1/campaigns", campaign)))["id"]!;
    }

    private static async Task HeldAsync(ClusterBench copy, long campaign, string because)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await copy.StatusAsync(campaign) != "paused")
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        var reason = (string)(await FireDriver.OkAsync(copy.Door.GetAsync($"/v1/campaigns/{campaign}")))["reason"]!;
        Assert.StartsWith($"Restored from a backup: {because}", reason, StringComparison.Ordinal);
    }

    /// <summary>Requests that the original's ledger does not know: somebody else's.</summary>
    private static async Task<int> NotOfAsync(ClusterBench original, long campaign)
    {
        var claimed = (await FireLedger.ReadAsync(original, campaign)).ClaimedAt;
        return original.Sandbox.Entries().Count(entry => entry.Kind == SandboxEntryKind.End && !claimed.ContainsKey(entry.BatchKey!));
    }
}
