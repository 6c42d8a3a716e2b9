using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>A small campaign beside a large one on the same tight provider (fault F33).</summary>
public sealed class FairnessFlowTests(PostgresServer server)
{
    private static readonly TimeSpan SmallLasts = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("Sqlite", "requestsPerSecond", 10)]
    [InlineData("PostgreSql", "requestsPerSecond", 10)]
    [InlineData("Sqlite", "concurrency", 2)]
    [InlineData("PostgreSql", "concurrency", 2)]
    public async Task SmallCampaign_BesideALargeOne_EndsWithinSeconds(string engine, string limit, int value)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 100 };
        await ImportAsync(bench, "many", 20_000);
        await ImportAsync(bench, "few", 100);
        var provider = await bench.ProviderAsync(5, new JsonObject { ["limits"] = new JsonObject { [limit] = value } });
        var large = await bench.CampaignAsync(provider, To("many"));
        var small = await bench.CampaignAsync(provider, To("few"));
        await bench.ActAsync(large, "start");
        await bench.WatchAsync(large, static stats => (long)stats["accepted"]! > 0);

        var since = TimeProvider.System.GetTimestamp();
        await bench.ActAsync(small, "start");
        var stats = await bench.WatchAsync(small);
        var lasted = TimeProvider.System.GetElapsedTime(since);

        Assert.Equal(("completed", 100L), ((string)stats["status"]!, (long)stats["accepted"]!));
        Assert.InRange(lasted, TimeSpan.Zero, SmallLasts);
        var toCome = (long)(await bench.StatsAsync(large))["toCome"]!;
        Assert.InRange(toCome, 18_000, 20_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"{engine}, {limit} {value}: the small campaign took {lasted.TotalSeconds:f1} s");
        await bench.ActAsync(large, "stop");
        await bench.WatchAsync(large, static news => (long)news["toCome"]! == 0);
        await bench.HoldsAsync(small);
        await bench.HoldsAsync(large);
    }

    private static JsonObject To(string list) => new() { ["audience"] = new JsonObject { ["list"] = list } };

    private static async Task ImportAsync(CampaignBench bench, string list, int people)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < people; i++)
        {
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $$$"""{"email":"{{{list}}}{{{i}}}@example.com","attributes":{"name":"Person {{{i}}}"}}""").Append('\n');
        }

        using var body = new StringContent(lines.ToString());
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        Assert.Equal(people, (int)(await CampaignBench.OkAsync(bench.Client.PostAsync($"/v1/recipients/import?list={list}", body)))["inserted"]!);
    }
}
