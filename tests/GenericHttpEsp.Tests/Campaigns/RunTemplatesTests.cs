using System.Text;
using GenericHttpEsp.Api;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class RunTemplatesTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A request is repeated only if it is the same to the byte, and it may be another silo that repeats it.</summary>
    [Fact]
    public async Task Silos_AtDifferentAddresses_RenderTheSameBytes()
    {
        await using var pair = await SiloPair.StartAsync(server);
        var bench = pair.Bench;
        await bench.ImportAsync(10);
        var provider = await bench.ProviderAsync();
        Assert.NotEqual(PublicUrl(bench.Application), PublicUrl(pair.Other));

        var here = await StartAsync(bench, provider);
        var there = await StartAsync(CampaignBench.On(pair.Other, bench.Sandbox), provider);

        foreach (var campaign in (long[])[here, there])
        {
            var record = await RecordAsync(bench.Application, campaign, run: 1);
            Assert.Equal(record, await RecordAsync(pair.Other, campaign, run: 1));
            Assert.Contains(pair.Silos.Select(PublicUrl), address => record.Contains($"{address}/u/", StringComparison.Ordinal));
        }
    }

    /// <summary>After restarts at other addresses: a run keeps the one it began with; what an earlier version started has the silo's own.</summary>
    [Fact]
    public async Task Run_KeepsItsAddress_AndOneOfAnEarlierVersionHasTheSilosOwn()
    {
        await using var bench = await CampaignBench.StartAsync("PostgreSql", server);
        await bench.ImportAsync(10);
        var campaign = await StartAsync(bench, await bench.ProviderAsync());
        var first = PublicUrl(bench.Application);

        await bench.Application.RestartAsync();
        var second = PublicUrl(bench.Application);
        Assert.NotEqual(first, second);
        Assert.Contains($"{first}/u/", await RecordAsync(bench.Application, campaign, run: 1), StringComparison.Ordinal);

        var changed = await bench.Application.Services.GetRequiredService<LedgerDatabase>().WriteAsync(WriteKind.Event, static session => session.ExecuteAsync(
            """
            update GrainState set PayloadBinary = convert_to((convert_from(PayloadBinary, 'UTF8')::jsonb - 'PublicUrl')::text, 'UTF8')
            where convert_from(PayloadBinary, 'UTF8')::jsonb ? 'PublicUrl'
            """));
        Assert.Equal(1, changed);
        await bench.Application.RestartAsync();
        Assert.Contains($"{PublicUrl(bench.Application)}/u/", await RecordAsync(bench.Application, campaign, run: 1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PostgreSql", null, 1)]
    [InlineData("PostgreSql", "https://mail.example.com", 0)]
    [InlineData("Sqlite", null, 0)]
    public async Task Silo_OfAClusterWithoutPublicUrl_SaysSoOnce(string engine, string? told, int times)
    {
        using var log = new CapturedLog();
        await using var bench = await CampaignBench.StartAsync(
            engine, server, configure: builder => builder.Logging.AddProvider(log), settings: told is null ? [] : [$"--PublicUrl={told}"]);

        Assert.Equal(times, log.Text.Split('\n').Count(static line => line.Contains("PublicUrl is not set", StringComparison.Ordinal)));
    }

    private static string PublicUrl(TestApplication silo) => silo.Services.GetRequiredService<ServerAddresses>().PublicUrl;

    private static async Task<long> StartAsync(CampaignBench bench, long provider)
    {
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);
        return campaign;
    }

    private static async Task<string> RecordAsync(TestApplication silo, long campaign, int run)
    {
        var template = await silo.Services.GetRequiredService<IRunTemplates>().GetAsync(campaign, run, Stop);
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        Assert.Null(template.Bound.RenderRecord(RecipientModel.FromJson(1, "p1@example.com", Encoding.UTF8.GetBytes("""{"name":"Person 1"}""")), scratch, output));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
