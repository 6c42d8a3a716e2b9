using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>The program ends itself at a named place; started again without the fail point it finishes, and everything adds up.</summary>
public sealed class FailPointTests
{
    private const int People = 400;
    private const int Size = 10;
    private const int Concurrency = 4;

    [Theory]
    [InlineData(FailPoints.BeforeClaimCommit, 5)]
    [InlineData(FailPoints.AfterClaimCommit, 5)]
    [InlineData(FailPoints.AtGate, 5)]
    [InlineData(FailPoints.AfterAnswer, 5)]
    [InlineData(FailPoints.BeforeOutcomeCommit, 5)]
    [InlineData(FailPoints.AfterOutcomeCommit, 5)]
    public async Task End_WhileSending_LosesNobody(string point, int pass)
    {
        await using var bench = await FireBench.StartAsync($"{point}:{pass}");
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(Size, Concurrency);
        await bench.StartCampaignAsync(campaign);

        await bench.CrashAsync();
        var left = await bench.LeftAsync(campaign);
        Assert.InRange(left.OnTheWire, 0, Size * Concurrency);
        var ended = TimeProvider.System.GetTimestamp();
        await bench.RestartAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(ended);
        (await FireVerdict.HoldsAsync(bench, campaign, People, left.OnTheWire)).Report($"fail point {point}", 1, recovery);
    }

    /// <summary>A batch that is too large for the ESP is halved: its parts wait in rows of their own, the whole is done with.</summary>
    [Fact]
    public async Task End_AfterASplit_SendsThePartsOnce()
    {
        await using var bench = await FireBench.StartAsync($"{FailPoints.AfterSplitCommit}:3", new SandboxBehaviour { MaxBodyBytes = 6000 });
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 40, concurrency: 1);
        await bench.StartCampaignAsync(campaign);

        await bench.CrashAsync();
        var left = await bench.LeftAsync(campaign);
        Assert.True(left.Waiting > 0, "A split leaves its parts waiting.");
        var ended = TimeProvider.System.GetTimestamp();
        await bench.RestartAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(ended);
        (await FireVerdict.HoldsAsync(bench, campaign, People, left.OnTheWire)).Report($"fail point {FailPoints.AfterSplitCommit}", 1, recovery);
    }

    /// <summary>Work row before state: whoever asked for the start got no answer and asks again; nothing of the first try is sent.</summary>
    [Theory]
    [InlineData(FailPoints.StartAnnounced)]
    [InlineData(FailPoints.StartOpened)]
    public async Task End_BeforeTheStartIsSaved_IsNoStart(string point)
    {
        await using var bench = await FireBench.StartAsync($"{point}:1");
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(Size, Concurrency);
        await Assert.ThrowsAsync<HttpRequestException>(() => bench.StartCampaignAsync(campaign));
        await bench.CrashAsync();
        Assert.Empty(bench.Sandbox.Entries());
        await bench.RestartAsync();

        Assert.Equal("draft", await bench.StatusAsync(campaign));
        await bench.StartCampaignAsync(campaign);
        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report($"fail point {point}", 1, TimeSpan.Zero);
    }

    [Fact]
    public async Task End_AfterTheStartIsSaved_GoesOnByItself()
    {
        await using var bench = await FireBench.StartAsync($"{FailPoints.StartSaved}:1");
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(Size, Concurrency);
        await Assert.ThrowsAsync<HttpRequestException>(() => bench.StartCampaignAsync(campaign));
        await bench.CrashAsync();
        var ended = TimeProvider.System.GetTimestamp();
        await bench.RestartAsync();

        await bench.WaitForRequestsAsync(1);
        var recovery = TimeProvider.System.GetElapsedTime(ended);
        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report($"fail point {FailPoints.StartSaved}", 1, recovery);
    }

    /// <summary>State before work row: the row that is left is forgotten at the next sweep, and nothing is sent for it.</summary>
    [Theory]
    [InlineData(FailPoints.EndSaved)]
    [InlineData(FailPoints.EndUnpinned)]
    public async Task End_BeforeTheWorkRowIsGone_StaysCompleted(string point)
    {
        await using var bench = await FireBench.StartAsync($"{point}:1");
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(Size, Concurrency);
        await bench.StartCampaignAsync(campaign);
        await bench.CrashAsync();
        await bench.RestartAsync();

        Assert.Equal("completed", await bench.StatusAsync(campaign));
        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report($"fail point {point}", 1, TimeSpan.Zero);
    }
}
