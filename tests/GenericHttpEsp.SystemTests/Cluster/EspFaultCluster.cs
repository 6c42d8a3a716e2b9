using System.Text.Json.Nodes;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos for what an ESP can do to them, and a healthy provider that sends beside every fault; each test has a list and a provider of its own.</summary>
public sealed class EspFaultCluster(ClusterPostgres postgres) : IAsyncLifetime
{
    public const int Silos = 3;

    /// <summary>In a row, over all silos; see the README on how many there are in all.</summary>
    public const int BreakerFailures = 8;

    /// <summary>The product's own in the full size.</summary>
    public static readonly TimeSpan BreakerPause = TimeSpan.FromSeconds(FireSize.Of(ci: 1, full: 5));

    public static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(FireSize.Of(ci: 5, full: 25));

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
    internal async Task<long> SendAsync(string list, int people, int size, int concurrency, string endpoint, JsonObject? more = null) =>
        await SendAsync(await Bench.ProviderAsync(size, concurrency, list, endpoint: endpoint, more: more), list, people, Bench.NextDoor());

    /// <param name="provider">Of the campaign.</param>
    /// <param name="list">A new one.</param>
    /// <param name="people">Of it.</param>
    /// <param name="door">Where it is started.</param>
    internal async Task<long> SendAsync(long provider, string list, int people, HttpClient door)
    {
        await Bench.ImportAsync(people, partitions: 6, list);
        var campaign = await Bench.CampaignAsync(provider, list);
        await Bench.StartCampaignAsync(campaign, door);
        return campaign;
    }

    internal async Task StopAsync(long campaign) => await FireDriver.OkAsync(Bench.Door.PostAsync($"/v1/campaigns/{campaign}/stop", null));

    /// <summary>Waits until everybody is in a row that waits for its time, at or after the given one: nobody is beyond the cursor or on the wire.</summary>
    internal Task AllWaitAsync(long campaign, int people, DateTimeOffset due = default) => UntilAsync(
        $"select coalesce(sum(cardinality(ids)), 0)::bigint from batches where campaign_id = @campaign and state = 0 and coalesce(not_before, 0) >= {Math.Max(0, due.ToUnixTimeMilliseconds())}",
        campaign,
        ids => ids == people);

    /// <summary>Waits until a number in the database is as wanted; answers it.</summary>
    internal async Task<long> UntilAsync(string sql, long campaign, Func<long, bool> wanted)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        long found;
        while (!wanted(found = await NumberAsync(sql, campaign)))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        return found;
    }

    /// <param name="sql">A number of a campaign, named <c>@campaign</c>.</param>
    /// <param name="campaign">Its id.</param>
    internal Task<long> NumberAsync(string sql, long campaign) =>
        Bench.ReadAsync(session => session.FirstAsync(sql, static row => row.GetInt64(0), ("@campaign", campaign)));
}

/// <summary>One after the other and beside nothing else, as the other clusters.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EspFire : ICollectionFixture<EspFaultCluster>
{
    public const string Name = "cluster with bad ESPs";
}
