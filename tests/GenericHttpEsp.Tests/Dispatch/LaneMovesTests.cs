using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>A campaign that one silo sends alone, until another one joins.</summary>
public sealed class LaneMovesTests(PostgresServer server)
{
    private const int People = 4000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lanes_OfASiloThatJoins_MoveToItWithTheirDispatchers_AndNobodyIsSkippedOrTwice()
    {
        var database = await server.NewDatabaseAsync(Stop);
        using var keys = new TemporaryFolder();
        string[] settings =
        [
            $"--ConnectionStrings:Postgres={database}", $"--Secrets:KeyFile={keys.Path}/secret.key", "--Dispatch:AllowedNetworks:0=127.0.0.1", "--Cluster:ProbeSeconds=2",
        ];
        // So slow that the end is far away.
        var slow = new SandboxOptions { Behaviour = new SandboxBehaviour { LatencyMilliseconds = 500 } };
        await using var bench = await CampaignBench.StartAsync("PostgreSql", server, slow, settings: settings);
        await SpreadAsync(database);
        await bench.ImportAsync(People);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, new() { ["limits"] = new System.Text.Json.Nodes.JsonObject { ["concurrency"] = 4 } }));
        await bench.ActAsync(campaign, "start");
        var before = await PlacesAsync(bench.Application, static places => places.Count >= 2 * Lanes.Count);
        Assert.Single(before.DistinctBy(static place => place.SiloAddress));

        await using var other = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);
        var after = await PlacesAsync(bench.Application, static places => places.CountBy(Silo).Select(static silo => silo.Value) is var counts && counts.Count() == 2 && counts.Min() * 2 >= Lanes.Count);

        // Each lane as a whole.
        Assert.All(after.GroupBy(static place => Lanes.NumberOf(place.GrainId)), static lane => Assert.Single(lane.DistinctBy(Silo)));
        Assert.True(await SiloPair.UntilAsync(() => other.Services.GetRequiredService<InFlight>().Requests > 0, Patience, Stop), "The silo that joined sends nothing.");
        Assert.Equal("running", (string)(await bench.StatsAsync(campaign))["status"]!);
        bench.Sandbox.Behaviour = new SandboxBehaviour();
        var stats = await bench.WatchAsync(campaign);
        Assert.Equal(("completed", People, 0), ((string)stats["status"]!, (int)stats["accepted"]!, (int)stats["unknown"]!));
        await bench.HoldsAsync(campaign);
    }

    private static SiloAddress Silo(DetailedGrainStatistic place) => place.SiloAddress;

    /// <summary>Asks where partitions and dispatchers are until it is so, with no lane on its way.</summary>
    private static async Task<List<DetailedGrainStatistic>> PlacesAsync(TestApplication application, Func<List<DetailedGrainStatistic>, bool> isSo)
    {
        var statistics = application.Grains.GetGrain<IManagementGrain>(0);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            var places = (await statistics.GetDetailedGrainStatistics())
                .Where(static place => place.GrainId.Type.ToString() is "partition" or "dispatcher").ToList();
            if (isSo(places) && places.GroupBy(static place => Lanes.NumberOf(place.GrainId)).All(static lane => lane.DistinctBy(Silo).Count() == 1))
            {
                return places;
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Ids as far apart as in a large installation: a few thousand people make two partitions a lane.</summary>
    private static async Task SpreadAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Stop);
        await using var alter = new NpgsqlCommand($"alter table profiles alter column id set increment by {2 * Lanes.Count * 8 * 4096 / People}", connection);
        await alter.ExecuteNonQueryAsync(Stop);
    }
}
