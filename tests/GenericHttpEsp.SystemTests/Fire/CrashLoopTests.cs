using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.SystemTests.Fire;

public sealed class CrashLoopTests
{
    /// <summary>
    /// Too many starts without an outcome fail a campaign, since its content may be what ends the process. A partition that has nothing to render, only
    /// claims to wait for, ends no process: kills in that time must not add up.
    /// </summary>
    [Fact]
    public async Task Kills_WhileEverythingIsOnTheWire_AreNoCrashLoop()
    {
        const int People = 10;
        await using var bench = await FireBench.StartAsync();
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 1);
        bench.Sandbox.Hold();
        await bench.StartCampaignAsync(campaign);
        using var limit = FireBench.Limit();
        await bench.Sandbox.WaitForHeldRequestsAsync(1, limit.Token);
        Assert.Equal(People, (await bench.KillAsync(campaign)).OnTheWire);

        await bench.RestartAsync();

        using var soon = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        // Long before the deadline of the claim, whose outcome forgives all starts.
        soon.CancelAfter(TimeSpan.FromSeconds(4));
        await ForgivenAsync(bench, soon.Token);
        Assert.NotEqual("failed", await bench.StatusAsync(campaign));
        await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: People);
    }

    /// <summary>Nor does one that has more to render than its dispatcher has room for, while the ESP's rate lets nothing go: nothing is claimed whose outcome would forgive.</summary>
    [Fact]
    public async Task Kills_WhileItWaitsForItsTurn_AreNoCrashLoop()
    {
        const int Size = 10;
        const int Kills = 4;
        await using var bench = await FireBench.StartAsync();
        await bench.ImportAsync(20_000);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(Size, 1, "slow", requestsPerSecond: 0.02), FireDriver.Everybody);
        await bench.StartCampaignAsync(campaign);
        using var limit = FireDriver.Limit();
        await RecordedAsync(bench, campaign, Size, limit.Token);

        for (var kill = 1; kill <= Kills; kill++)
        {
            Assert.Equal(0, (await bench.KillAsync(campaign)).OnTheWire);
            await bench.RestartAsync();
            await ForgivenAsync(bench, limit.Token, epoch: 1 + kill);
        }

        Assert.Equal("running", await bench.StatusAsync(campaign));
        Assert.Single(bench.Sandbox.Entries(), static entry => entry.Kind == SandboxEntryKind.End);
    }

    /// <summary>Content that ends the process whenever it is rendered is given up after three ends; the process stays up.</summary>
    [Fact]
    public async Task Rendering_ThatEndsTheProcess_FailsTheCampaign_AndTheProcessStays()
    {
        const string Poison = $"{FailPoints.InRender}:1";
        await using var bench = await FireBench.StartAsync(Poison);
        await bench.ImportAsync(50);
        var campaign = await bench.CampaignAsync(size: 10, concurrency: 1);
        try
        {
            await bench.StartCampaignAsync(campaign);
        }
        catch (HttpRequestException)
        {
            // The process may end before its answer is out.
        }

        await bench.CrashAsync();
        for (var ends = 1; ends < 3; ends++)
        {
            bench.Launch(Poison);
            await bench.CrashAsync();
        }

        var ended = TimeProvider.System.GetTimestamp();
        await bench.RestartAsync(Poison);

        using var limit = FireBench.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await bench.StatusAsync(campaign) == "running")
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        var recovery = TimeProvider.System.GetElapsedTime(ended);
        var stats = await FireBench.OkAsync(bench.Server.Client.GetAsync($"/v1/campaigns/{campaign}/stats"));
        Assert.Equal(("failed", 50), ((string)stats["status"]!, (int)stats["toCome"]!));
        Assert.Contains("ended the process three times", (string)stats["reason"]!, StringComparison.Ordinal);
        Assert.Empty(bench.Sandbox.Entries());
        Assert.Equal(0, await bench.Server.SignalAsync("TERM", TestContext.Current.CancellationToken));
        new FireVerdict(0, 0, 0, 0).Report("rendering ends the process, three times", 1, recovery);
    }

    /// <summary>Waits until so many are accepted and nothing is on the wire.</summary>
    private static async Task RecordedAsync(FireBench bench, long campaign, int accepted, CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await FireDriver.OkAsync(bench.Door.GetAsync(new Uri($"/v1/campaigns/{campaign}/stats", UriKind.Relative), cancellationToken)) is var stats
            && ((int)stats["accepted"]! != accepted || (int)stats["inFlight"]! != 0))
        {
            await tick.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static async Task ForgivenAsync(FireBench bench, CancellationToken cancellationToken, int epoch = 2)
    {
        await using var connection = new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(bench.Folder, "ledger.db")));
        await connection.OpenAsync(cancellationToken);
        await using var read = connection.CreateCommand();
        read.CommandText = "select epoch >= @epoch and starts = 0 from partitions order by id limit 1";
        read.Parameters.AddWithValue("@epoch", epoch);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await read.ExecuteScalarAsync(cancellationToken) is not 1L)
        {
            await tick.WaitForNextTickAsync(cancellationToken);
        }
    }
}
