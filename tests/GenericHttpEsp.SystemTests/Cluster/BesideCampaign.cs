using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>
/// Another provider, healthy, which sends beside every fault: a fault of one ESP is nobody else's. It is limited to a rate that it reaches easily, so that a
/// busy machine changes nothing and a provider that holds the others up does.
/// </summary>
internal sealed class BesideCampaign
{
    public const double ShareMin = 0.9;
    private const string List = "beside";
    private const int PerSecond = 60;
    private const int Size = 5;

    // The budget of a second goes out at its beginning: windows begin and end where one is spent.
    private static readonly TimeSpan Edge = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ClusterBench _bench;
    private readonly long _campaign;

    private BesideCampaign(ClusterBench bench, long campaign) => (_bench, _campaign) = (bench, campaign);

    /// <summary>Messages a second before any fault.</summary>
    public double Baseline { get; private set; }

    public static async Task<BesideCampaign> StartAsync(ClusterBench bench)
    {
        await bench.ImportAsync(PerSecond * FireSize.Of(ci: 150, full: 900), partitions: 6, List);
        var limits = new JsonObject { ["concurrency"] = 6, ["messagesPerSecond"] = PerSecond };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(Size, concurrency: 6, List, more: new JsonObject { ["limits"] = limits }), List);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(PerSecond / Size);
        var beside = new BesideCampaign(bench, campaign);
        using var limit = FireDriver.Limit();
        do
        {
            // A machine that is busy with other things, or with the silos' start, says nothing of a fault.
            limit.Token.ThrowIfCancellationRequested();
            beside.Baseline = await beside.RateAsync(TimeProvider.System.GetUtcNow());
        }
        while (beside.Baseline < PerSecond * ShareMin);
        Assert.InRange(beside.Baseline, PerSecond * ShareMin, PerSecond * (2 - ShareMin));
        return beside;
    }

    /// <summary>Its rate since a time as a share of the baseline, over whole seconds and at least three.</summary>
    public async Task<double> ShareAsync(DateTimeOffset since)
    {
        var rate = await RateAsync(since);
        Assert.Equal("running", await _bench.StatusAsync(_campaign));
        return rate / Baseline;
    }

    /// <summary>It is stopped; all that it sent was accepted once.</summary>
    public async Task EndAsync()
    {
        await FireDriver.OkAsync(_bench.Door.PostAsync($"/v1/campaigns/{_campaign}/stop", null));
        var stats = await _bench.EndAsync(_campaign, "stopped");
        Assert.Equal(0, (int)stats["unknown"]!);
        var audit = await FireDriver.OkAsync(_bench.Door.GetAsync($"/v1/campaigns/{_campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        var taken = Requests().SelectMany(static entry => entry.AcceptedAddresses).ToList();
        Assert.Equal(((int)stats["accepted"]!, taken.Count), (taken.Count, taken.Distinct().Count()));
    }

    private async Task<double> RateAsync(DateTimeOffset since)
    {
        var from = EdgeAfter(since);
        var least = from + (3 * Second) - TimeProvider.System.GetUtcNow();
        if (least > TimeSpan.Zero)
        {
            // What is measured is a time.
            await Task.Delay(least, TestContext.Current.CancellationToken);
        }

        var to = EdgeAfter(TimeProvider.System.GetUtcNow()) - Second;
        return Requests().Where(entry => entry.At >= from && entry.At < to).Sum(static entry => entry.Accepted ?? 0) / (to - from).TotalSeconds;
    }

    private static DateTimeOffset EdgeAfter(DateTimeOffset time)
    {
        var edge = new DateTimeOffset(time.Ticks - (time.Ticks % Second.Ticks), time.Offset) + Edge;
        return edge >= time ? edge : edge + Second;
    }

    private IEnumerable<SandboxEntry> Requests() => _bench.Sandbox.Entries().Where(static entry =>
        entry.Kind == SandboxEntryKind.End && entry.Addresses is [var first, ..] && first.EndsWith($"@{List}.com", StringComparison.Ordinal));
}
