using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(UnharmedFire.Name)]
public sealed class CallbackClusterTests(UnharmedCluster cluster)
{
    private ClusterBench Bench => cluster.Bench;

    /// <summary>F23: the same large body ten times, to all silos at once.</summary>
    [Fact]
    public async Task SameBody_ToAllSilosAtOnce_CountsOnce()
    {
        const int EachType = 166;
        const int Copies = 10;
        var people = EachType * FireCallbacks.TypeCount;
        var (campaign, callbacks) = await SentAsync("copies", people);
        var body = callbacks.Body(0, people);

        var posts = Bench.Silos.SelectMany(silo => Enumerable.Range(0, Copies).Select(_ => callbacks.TryPostAsync(body, silo.Server.Client)));
        Assert.All(await Task.WhenAll(posts), Assert.True);

        var events = await FireEvents.ReadAsync(Bench, campaign);
        Assert.Equal((FireCallbacks.Counters(EachType), 3L * EachType, people), (events.Counters, events.Forbidden, events.Emails.Count));
        (await FireVerdict.JudgeAsync(Bench, campaign, people, 0, "copies")).Report($"F23: a body of {people} events, {Copies} times to each silo", Copies * 3, TimeSpan.Zero);
    }

    /// <summary>F24: everything that can happen to a person, in any order, through any silo, twice: the strongest reason stands.</summary>
    [Fact]
    public async Task Events_InAnyOrderThroughAnySilo_EndAlike()
    {
        const int People = 30;
        var (campaign, callbacks) = await SentAsync("orders", People);
        var seed = FireSize.Number("GHE_FIRE_SEED") ?? Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"GHE_FIRE_SEED={seed}");
        var random = new Random(seed);
        var bodies = Enumerable.Range(0, People).SelectMany(callbacks.Bodies).ToArray();
        bodies = [.. bodies, .. bodies];
        random.Shuffle(bodies);

        await Parallel.ForEachAsync(bodies, async (body, _) => Assert.True(await callbacks.TryPostAsync(body, Bench.NextDoor())));

        var events = await FireEvents.ReadAsync(Bench, campaign);
        Assert.Equal((FireCallbacks.Counters(People), (long)People), (events.Counters, events.Forbidden));
        for (var i = 0; i < People; i++)
        {
            var person = await FireDriver.OkAsync(Bench.NextDoor().GetAsync($"/v1/recipients/{callbacks.Email(i)}"));
            Assert.Equal(("unsubscribed", "spam"), ((string)person["subscription"]!["status"]!, (string)person["subscription"]!["reason"]!));
        }

        (await FireVerdict.JudgeAsync(Bench, campaign, People, 0, "orders")).Report($"F24: {bodies.Length} events in any order, seed {seed}", 1, TimeSpan.Zero);
    }

    /// <summary>F25: one bad event among a thousand is named; the others count.</summary>
    [Fact]
    public async Task Body_WithOneBadEvent_NamesItAndCountsTheOthers()
    {
        const int EachType = 166;
        var people = EachType * FireCallbacks.TypeCount;
        var (campaign, callbacks) = await SentAsync("spoilt", people);
        var body = JsonNode.Parse(callbacks.Body(0, people))!;
        body["events"]!["success"]![7]!["meta"] = "rubbish";

        using var answer = await callbacks.PostAsync(body.ToJsonString(), Bench.NextDoor());

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var told = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal((people, people - 1), ((int)told["TOTAL_EVENTS"]!, (int)told["PROCESSED_EVENTS"]!));
        Assert.Equal(7, (int)Assert.Single(told["UNPROCESSED_EVENTS"]!.AsArray())!["index"]!);
        Assert.Equal(people - 1, (await FireEvents.ReadAsync(Bench, campaign)).Emails.Count);
        (await FireVerdict.JudgeAsync(Bench, campaign, people, 0, "spoilt")).Report("F25: one bad event in a body", 1, TimeSpan.Zero);
    }

    /// <summary>F30: callers that send a byte a second are dropped, and the others do not feel them.</summary>
    [Fact]
    public async Task SlowCallers_AreDropped_AndOthersServed()
    {
        const int People = 60;
        var dropMax = TimeSpan.FromSeconds(20);
        var callers = FireSize.Of(ci: 150, full: 500);
        var (campaign, callbacks) = await SentAsync("patience", People);
        var silo = Bench.Silos[0].Server.Client;
        using var limit = FireDriver.Limit();
        var began = TimeProvider.System.GetTimestamp();
        var slow = Enumerable.Range(0, callers).Select(_ => DroppedAsync(silo.BaseAddress!, callbacks.Path, limit.Token)).ToList();

        var slowest = TimeSpan.Zero;
        for (var i = 0; i < People; i++)
        {
            var asked = TimeProvider.System.GetTimestamp();
            Assert.True(await callbacks.TryPostAsync(callbacks.Body(i, 1), silo));
            slowest = TimeProvider.System.GetElapsedTime(asked) is var took && took > slowest ? took : slowest;
        }

        await Task.WhenAll(slow);
        var dropped = TimeProvider.System.GetElapsedTime(began);
        Assert.InRange(dropped, TimeSpan.Zero, dropMax);
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        (await FireVerdict.JudgeAsync(Bench, campaign, People, 0, "patience")).Report(
            $"F30: {callers} callers at a byte a second; slowest other {slowest.TotalMilliseconds:f0} ms; seconds until all are dropped", 1, dropped);
    }

    /// <summary>Sends a byte a second until the server has had enough.</summary>
    private static async Task DroppedAsync(Uri server, string path, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Host, server.Port, cancellationToken);
        await socket.SendAsync(
            Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: {server.Host}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"), cancellationToken);
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (socket.Poll(0, SelectMode.SelectRead) is false)
            {
                await socket.SendAsync("{"u8.ToArray(), cancellationToken);
                await tick.WaitForNextTickAsync(cancellationToken);
            }
        }
        catch (SocketException)
        {
            // Dropped.
        }
    }

    private async Task<(long Campaign, FireCallbacks Callbacks)> SentAsync(string list, int people)
    {
        await Bench.ImportAsync(people, partitions: 3, list);
        var campaign = await Bench.CampaignAsync(size: 100, concurrency: 4, list);
        await Bench.StartCampaignAsync(campaign);
        await Bench.EndAsync(campaign);
        return (campaign, await FireCallbacks.OfAsync(Bench, campaign));
    }
}
