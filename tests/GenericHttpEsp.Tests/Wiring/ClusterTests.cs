using System.Net;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>Two of the real programs on one PostgreSQL, meeting through our clustering SQL.</summary>
public sealed class ClusterTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_OnOneDatabase_MeetShareGrainsAndPart()
    {
        var database = await server.NewDatabaseAsync(Stop);
        using var keys = new TemporaryFolder();
        string[] settings = [$"--ConnectionStrings:Postgres={database}", $"--Secrets:KeyFile={keys.Path}/secret.key"];
        await using var first = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);
        await using var second = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);

        await Task.WhenAll(Meeting.ActiveAsync(first, 2), Meeting.ActiveAsync(second, 2));
        Assert.Equal(first.Services.GetRequiredService<InstallationKeys>().Address, second.Services.GetRequiredService<InstallationKeys>().Address);
        await Task.WhenAll(Enumerable.Range(1, 20).Select(i => (i % 2 == 0 ? first : second).Grains.GetGrain<IFirstSampleGrain>(i).Rename($"name {i}")));
        Assert.Equal("name 7", await first.Grains.GetGrain<IFirstSampleGrain>(7).Name());
        Assert.Equal("name 8", await second.Grains.GetGrain<IFirstSampleGrain>(8).Name());

        await second.StopAsync();

        await Meeting.ActiveAsync(first, 1);
        Assert.Equal("name 7", await first.Grains.GetGrain<IFirstSampleGrain>(7).Name());
        Assert.Equal("name 8", await first.Grains.GetGrain<IFirstSampleGrain>(8).Name());
        Assert.Equal(HttpStatusCode.OK, (await first.Client.GetAsync("/health/ready", Stop)).StatusCode);
        Assert.Equal((2, 1), await MembersAsync(database));
    }

    /// <summary>Whoever starts a campaign, and however busy its silo is: all send it, and a partition and its dispatcher need no network between them.</summary>
    [Fact]
    public async Task Partitions_StandEvenlyAtTheSilos_EachBesideItsDispatcher()
    {
        const int Partitions = 24;
        var database = await server.NewDatabaseAsync(Stop);
        using var keys = new TemporaryFolder();
        string[] settings = [$"--ConnectionStrings:Postgres={database}", $"--Secrets:KeyFile={keys.Path}/secret.key"];
        await using var first = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);
        await using var second = await TestApplication.StartAsync(StorageEngine.PostgreSql, server, settings);
        await Task.WhenAll(Meeting.PlacingAsync(first, 2), Meeting.PlacingAsync(second, 2));
        var statistics = first.Grains.GetGrain<IManagementGrain>(0);

        await Task.WhenAll(Enumerable.Range(1, Partitions).Select(id => first.Grains.GetGrain<IPartitionGrain>(id).HaltAsync()));

        var places = (await statistics.GetDetailedGrainStatistics()).Where(static place => place.GrainId.Type.ToString() == "partition").ToList();
        Assert.Equal([Partitions / 2, Partitions / 2], places.GroupBy(static place => place.SiloAddress).Select(static silo => silo.Count()));
        var ofALane = places.GroupBy(static place => PartitionWork.Lane(place.GrainId.GetIntegerKey()));
        Assert.All(ofALane, static lane => Assert.Single(lane.DistinctBy(static place => place.SiloAddress)));
    }

    private static async Task<(int All, int Dead)> MembersAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Stop);
        await using var command = new NpgsqlCommand("select count(*)::int, (count(*) filter (where Status = 6))::int from OrleansMembership", connection);
        await using var reader = await command.ExecuteReaderAsync(Stop);
        await reader.ReadAsync(Stop);
        return (reader.GetInt32(0), reader.GetInt32(1));
    }
}
