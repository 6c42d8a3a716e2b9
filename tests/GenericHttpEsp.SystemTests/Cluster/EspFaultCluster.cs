using System.Text.Json.Nodes;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos for what an ESP can do to them, and a healthy provider that sends beside every fault; each test has a list and a provider of its own.</summary>
public sealed class EspFaultCluster(ClusterPostgres postgres) : IAsyncLifetime
{
    public const int Silos = 3;

    /// <summary>Of one silo's breaker; see the README on what they add up to.</summary>
    public const int BreakerFailures = 8;

    /// <summary>The product's own in the full size.</summary>
    public static readonly TimeSpan BreakerPause = TimeSpan.FromSeconds(FireSize.Of(ci: 1, full: 5));

    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(FireSize.Of(ci: 3, full: 25));

    internal ClusterBench Bench { get; private set; } = null!;

    internal BesideCampaign Beside { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(),
            Silos,
            more: [$"--Dispatch:AttemptTimeoutSeconds={(int)AttemptTimeout.TotalSeconds}", $"--Dispatch:BreakerPauseSeconds={(int)BreakerPause.TotalSeconds}"]);
        Beside = await BesideCampaign.StartAsync(Bench);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Beside.EndAsync();
            await Bench.EndServersAsync();
        }
        finally
        {
            await Bench.DisposeAsync();
        }
    }

    /// <summary>Starts a campaign to a new list through a new provider.</summary>
    internal async Task<long> SendAsync(string list, int people, int size, int concurrency, string endpoint, JsonObject? more = null)
    {
        await Bench.ImportAsync(people, partitions: 6, list);
        var campaign = await Bench.CampaignAsync(await Bench.ProviderAsync(size, concurrency, list, endpoint: endpoint, more: more), list);
        await Bench.StartCampaignAsync(campaign);
        return campaign;
    }

    internal async Task StopAsync(long campaign) => await FireDriver.OkAsync(Bench.Door.PostAsync($"/v1/campaigns/{campaign}/stop", null));

    /// <summary>Waits until a number in the database is as wanted; answers it.</summary>
    internal async Task<long> UntilAsync(string sql, long campaign, Func<long, bool> wanted)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        long found;
        while (!wanted(found = await Bench.ReadAsync(session => session.FirstAsync(sql, static row => row.GetInt64(0), ("@campaign", campaign)))))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        return found;
    }
}

/// <summary>One after the other and beside nothing else, as the other clusters.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EspFire : ICollectionFixture<EspFaultCluster>
{
    public const string Name = "cluster with bad ESPs";
}
