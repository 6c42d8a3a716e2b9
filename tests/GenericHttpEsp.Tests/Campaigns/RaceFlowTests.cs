using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class RaceFlowTests(PostgresServer server)
{
    private const int Interleavings = 200;
    private const int AtOnce = 40;
    private const int Clients = 4;
    private const int ActsEach = 4;
    private const int People = 60;
    private static readonly string[] Actions = ["start", "pause", "pause", "pause", "resume", "resume", "resume", "stop"];

    /// <summary>
    /// Clients that know nothing of each other press every button: one run at most, nothing begins after an acknowledged stop or pause, nobody has two, and the
    /// sum holds.
    /// </summary>
    [Fact]
    public async Task Buttons_PressedByManyAtOnce_MakeOneRunAndStopWhatTheyStop()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, settings: "--Dispatch:SendWindowMilliseconds=300");
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 20 };
        await bench.ImportAsync(People);
        var provider = await bench.ProviderAsync(4, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 8 } });
        var logs = new Dictionary<long, RaceLog>();
        for (var i = 0; i < Interleavings; i++)
        {
            logs[await bench.CampaignAsync(provider)] = new RaceLog();
        }

        await Parallel.ForEachAsync(
            logs.Index(), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (one, _) => await RaceAsync(bench, one.Item.Key, one.Item.Value, seed + one.Index));

        var requests = RaceLog.Requests(bench.Sandbox.Entries());
        foreach (var (campaign, log) in logs)
        {
            var heads = requests[campaign].Select(static request => request.Head).ToList();
            Assert.True(log.Late(heads) == 0, $"Campaign {campaign}, seed {seed}: {log.Late(heads)} requests after an acknowledged stop or pause.");
            var metas = requests[campaign].SelectMany(static request => request.End.MessageIds!).ToList();
            Assert.Equal(metas.Count, metas.Distinct().Count());
            Assert.All(metas, static meta => Assert.Equal(1, RaceLog.Field(meta!, 4)));
            await SettledAsync(bench, campaign);
        }

        // It was a race: buttons of all kinds worked, while something was sent.
        Assert.All(Actions, action => Assert.True(logs.Values.Sum(log => log.Done(action)) >= 20, action));
        Assert.True(requests.Sum(static campaign => campaign.Count()) > Interleavings);
    }

    private static async Task RaceAsync(CampaignBench bench, long campaign, RaceLog log, int seed)
    {
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = new Random((seed * Clients) + client);
            await log.ActAsync(bench.Client, campaign, "start");
            for (var i = 0; i < ActsEach; i++)
            {
                await log.ActAsync(bench.Client, campaign, Actions[random.Next(Actions.Length)]);
            }
        })));
    }

    /// <summary>At most one run; and once its last requests are answered the recount holds.</summary>
    private static async Task SettledAsync(CampaignBench bench, long campaign)
    {
        await CampaignBench.OkAsync(ResumedOrNotAsync(bench, campaign));
        using var limit = new CancellationTokenSource(CampaignBench.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        JsonNode stats;
        while ((long)(stats = await bench.StatsAsync(campaign))["toCome"]! > 0)
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        Assert.Equal((People, People), ((int)stats["audience"]!, (int)CampaignBench.Sum(stats)));
        Assert.InRange((int)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}")))["run"]!, 1, 1);
        var audit = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
    }

    /// <summary>Whoever is paused goes on to the end; the others are there already.</summary>
    private static async Task<HttpResponseMessage> ResumedOrNotAsync(CampaignBench bench, long campaign)
    {
        (await bench.Client.PostAsync($"/v1/campaigns/{campaign}/resume", null)).Dispose();
        return await bench.Client.GetAsync($"/v1/campaigns/{campaign}");
    }
}
