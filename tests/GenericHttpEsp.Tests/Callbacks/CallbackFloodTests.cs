using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class CallbackFloodTests(PostgresServer server)
{
    private const int EventsPerBody = 20;

    /// <summary>What was acknowledged is there, what was refused is not there at all, and the campaign beside it completes.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Flood_BesideACampaign_LosesNothingAcknowledged(string engine)
    {
        const int Senders = 8;
        const int BodiesMax = 20_000;
        await using var bench = await CallbackBench.StartAsync(
            engine, server, people: 600, settings: ["--Callbacks:BodiesPerSecond=30", "--Callbacks:BodiesBurst=30"]);
        var provider = await bench.Campaigns.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 15 } });
        var campaign = await bench.Campaigns.CampaignAsync(provider);
        await bench.Campaigns.ActAsync(campaign, "start");
        var acknowledged = new ConcurrentBag<int>();
        var refused = new ConcurrentBag<int>();
        var next = 0;
        using var over = new CancellationTokenSource();
        var senders = Enumerable.Range(0, Senders).Select(_ => Task.Run(async () =>
        {
            // On a slow machine the campaign is over before anybody had to be refused; on a fast one, before 50 were let in.
            while (!(over.IsCancellationRequested && acknowledged.Count >= 50 && !refused.IsEmpty) && Interlocked.Increment(ref next) is var run && run <= BodiesMax)
            {
                var events = Enumerable.Range(0, EventsPerBody).Select(person => bench.Event("delivered", person, meta: bench.Meta(person, run: run)));
                using var answer = await bench.PostAsync(CallbackBench.Body(events));
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
                Assert.True(answer.StatusCode == HttpStatusCode.OK || answer.Headers.RetryAfter is not null);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    acknowledged.Add(run);
                    continue;
                }

                refused.Add(run);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
            }
        })).ToArray();

        var stats = await bench.Campaigns.WatchAsync(campaign);
        await over.CancelAsync();
        await Task.WhenAll(senders);

        Assert.Equal(("completed", 600L), ((string)stats["status"]!, (long)stats["accepted"]!));
        await bench.Campaigns.HoldsAsync(campaign);
        Assert.True(acknowledged.Count >= 50 && !refused.IsEmpty, $"{acknowledged.Count} acknowledged, {refused.Count} refused");
        var stored = (await bench.Database.ReadAsync(session => session.QueryAsync(
            $"select run, count(*) from events where campaign_id = {CallbackBench.Campaign} group by run", static row => (row.GetInt32(0), row.GetInt64(1))))).ToDictionary();
        Assert.All(acknowledged, run => Assert.Equal(EventsPerBody, stored[run]));
        Assert.DoesNotContain(refused, stored.ContainsKey);
        Assert.Equal(Flooded(await CallbackState.RecountAsync(bench.Database)), Flooded((await bench.StateAsync()).Counters));
    }

    /// <summary>A caller of one byte now and then holds a connection, not the server: it is cut, and the others do not notice.</summary>
    [Fact]
    public async Task SlowCallers_AreCut_WhileTheOthersAreServed()
    {
        const int SlowCallers = 30;
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, people: 50, settings: ["--Api:DataRateMin=240", "--Api:DataRateGraceSeconds=2"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var slow = Enumerable.Range(0, SlowCallers).Select(_ => DripAsync(bench.CallbackUrl, limit.Token)).ToArray();

        var slowest = TimeSpan.Zero;
        for (var person = 0; person < 50; person++)
        {
            var asked = TimeProvider.System.GetTimestamp();
            await bench.AcceptedAsync(bench.Event("delivered", person));
            slowest = TimeProvider.System.GetElapsedTime(asked) is var took && took > slowest ? took : slowest;
        }

        Assert.True(slowest < TimeSpan.FromSeconds(2), $"{slowest}");
        foreach (var answer in await Task.WhenAll(slow))
        {
            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer);
        }

        Assert.Equal(50, (await bench.StateAsync()).EventRows);
    }

    private static IEnumerable<string> Flooded(string counters) =>
        counters.Split('\n').Where(static row => row.StartsWith($"{CallbackBench.Campaign}|", StringComparison.Ordinal));

    /// <summary>Sends a body of which there is always more to come; answers what it was told when it was cut.</summary>
    private static async Task<string> DripAsync(Uri url, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, url.Port, cancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST {url.AbsolutePath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"), cancellationToken);
        var told = ReadAsync(stream, cancellationToken);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        try
        {
            while (!told.IsCompleted && await tick.WaitForNextTickAsync(cancellationToken))
            {
                await stream.WriteAsync(" "u8.ToArray(), cancellationToken);
            }
        }
        catch (IOException)
        {
            // Cut between two bytes.
        }

        return await told;
    }

    private static async Task<string> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        using var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer, cancellationToken);
        }
        catch (IOException)
        {
            // Reset: an answer that was there may be lost with it.
        }

        return Encoding.ASCII.GetString(answer.ToArray());
    }
}
