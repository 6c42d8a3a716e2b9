using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>What an ESP that is down, slow or rude does to a campaign: it waits as it must, nobody is lost and nobody has two.</summary>
public sealed class FaultFlowTests(PostgresServer server)
{
    private static readonly JsonObject OneAtATime = new() { ["limits"] = new JsonObject { ["concurrency"] = 1 } };

    /// <summary>Seconds, a date to come, a negative number, words, nothing, and a date gone by.</summary>
    [Fact]
    public async Task RetryAfter_InEveryForm_IsObserved_AndTheOthersGoOn()
    {
        TimeSpan[] least = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), .. Enumerable.Repeat(TimeSpan.FromSeconds(1), 4)];
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await using var esp = await ScriptedEsp.StartAsync(least.Length, static number => number switch
        {
            1 => "2",
            // A date has no fractions: 2 to 3 seconds.
            2 => TimeProvider.System.GetUtcNow().AddSeconds(3).ToString("r"),
            3 => "-5",
            4 => "soon, please",
            5 => null,
            _ => TimeProvider.System.GetUtcNow().AddHours(-1).ToString("r"),
        });
        await bench.ImportAsync(200);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, With(OneAtATime, "endpoint", esp.Endpoint)));
        await bench.ActAsync(campaign, "start");

        Assert.Equal(200, (long)(await bench.WatchAsync(campaign))["accepted"]!);

        var requests = esp.Requests;
        for (var number = 1; number <= least.Length; number++)
        {
            var first = requests.Single(request => request.Number == number);
            Assert.Equal(429, first.Status);
            var again = requests.First(request => request.Number > number && request.Addresses.Intersect(first.Addresses).Any());
            Assert.True(again.At - first.AnsweredAt >= least[number - 1], $"Request {number} came again after {again.At - first.AnsweredAt}");
        }

        Assert.Equal(least.Length, requests.Count(static request => request.Status == 429));
        var waited = requests.Where(static request => request.Status == 429).SelectMany(static request => request.Addresses).ToHashSet();
        var accepted = requests.Where(static request => request.Status == 200).ToList();
        Assert.Equal(200, accepted.SelectMany(static request => request.Addresses).Distinct().Count());
        Assert.Equal(200, accepted.Sum(static request => request.Addresses.Count));
        Assert.DoesNotContain(accepted[0].Addresses, waited.Contains);
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task RetryAfter_OfThirtyYears_HoldsThatBatchAQuarterOfAnHour()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await using var esp = await ScriptedEsp.StartAsync(1, static _ => "1000000000");
        await bench.ImportAsync(100);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, With(OneAtATime, "endpoint", esp.Endpoint)));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign, static stats => (long)stats["accepted"]! == 90);

        Assert.Equal(("running", 10L), ((string)stats["status"]!, (long)stats["toCome"]!));
        var due = await ReadAsync(bench, "select not_before from batches where state = 0");
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(due) - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(13), TimeSpan.FromMinutes(15));
        await bench.ActAsync(campaign, "stop");
        await bench.HoldsAsync(campaign);
    }

    /// <summary>Eight failures in a row open the breaker; while the ESP is down one probe goes out in each pause; then all goes on.</summary>
    [Theory]
    [InlineData(100, 500, 502, 504)]
    [InlineData(0, 503)]
    public async Task ServerErrors_OpenTheBreaker_WhichRecovers(int unknown, params int[] statuses)
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, settings: "--Dispatch:BreakerPauseSeconds=1");
        await bench.ImportAsync(400);
        bench.Sandbox.Behaviour = new SandboxBehaviour
        {
            Script = Enumerable.Range(1, 10).ToDictionary(
                static n => n, n => new SandboxAnswer { Action = SandboxAction.Refuse, Status = statuses[n % statuses.Length] }),
        };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, OneAtATime));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal((400L - unknown, (long)unknown), ((long)stats["accepted"]!, (long)stats["unknown"]!));
        var entries = bench.Sandbox.Entries();
        var heads = entries.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.At);
        for (var probe = 9; probe <= 11; probe++)
        {
            Assert.True(heads[probe] - heads[probe - 1] >= TimeSpan.FromSeconds(0.9), $"Probe {probe} came after {heads[probe] - heads[probe - 1]}");
        }

        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task ConnectionRefused_IsNotSent_AndGoesOutOnceWhenTheEspIsUp()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, settings: "--Dispatch:BreakerPauseSeconds=1");
        await bench.ImportAsync(100);
        var port = FreePort.Take();
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, new JsonObject { ["endpoint"] = $"http://127.0.0.1:{port}/send" }));
        await bench.ActAsync(campaign, "start");
        using var limit = new CancellationTokenSource(CampaignBench.Patience);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await ReadAsync(bench, "select count(*) from batches where answer like 'not sent%'") < 5)
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        Assert.Equal(100, (long)(await bench.StatsAsync(campaign))["toCome"]!);
        await using var esp = await SandboxHost.StartAsync(new SandboxOptions { Port = port }, TimeProvider.System, limit.Token);
        var stats = await bench.WatchAsync(campaign);

        Assert.Equal((100L, 0L), ((long)stats["accepted"]!, (long)stats["unknown"]!));
        Assert.Equal((100L, 100L), (esp.Summary().MessagesAccepted, esp.Summary().DistinctAddresses));
        await bench.HoldsAsync(campaign);
    }

    /// <summary>Whatever happens to a connection after the request was handed over: unknown, never a second POST of the same people.</summary>
    [Fact]
    public async Task CutConnections_AreUnknown_AndNobodyIsPostedTwice()
    {
        SandboxAction[] cuts = [SandboxAction.AcceptThenClose, SandboxAction.CloseAfterBody, SandboxAction.AcceptThenClose, SandboxAction.CloseAfterBody];
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(200);
        // Good answers in between: the cuts come over connections that were used before.
        bench.Sandbox.Behaviour = new SandboxBehaviour { Script = cuts.Index().ToDictionary(static cut => 3 + (cut.Index * 2), static cut => new SandboxAnswer { Action = cut.Item }) };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10, OneAtATime));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal(("completed", 160L, 40L), ((string)stats["status"]!, (long)stats["accepted"]!, (long)stats["unknown"]!));
        Assert.Equal(20, bench.Sandbox.Summary().Requests);
        var posted = bench.Sandbox.Entries().Where(static entry => entry.Kind == SandboxEntryKind.End).SelectMany(static entry => entry.Addresses!).ToList();
        Assert.Equal((200, 200), (posted.Count, posted.Distinct().Count()));
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task NoAnswerInTime_AfterTheWholeBody_IsUnknown_AndNotRepeated()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server, settings: "--Dispatch:AttemptTimeoutSeconds=1");
        await bench.ImportAsync(40);
        bench.Sandbox.Hold();
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(20));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal(("completed", 40L), ((string)stats["status"]!, (long)stats["unknown"]!));
        Assert.Equal((2L, 40L), (bench.Sandbox.Summary().Requests, bench.Sandbox.Summary().MessagesAccepted));
        bench.Sandbox.Release();
        await bench.HoldsAsync(campaign);
    }

    private static Task<long> ReadAsync(CampaignBench bench, string sql) =>
        bench.Application.Services.GetRequiredService<LedgerDatabase>().ReadAsync(session => session.FirstAsync(sql, static row => row.GetInt64(0)));

    private static JsonObject With(JsonObject provider, string name, JsonNode value)
    {
        var copy = provider.DeepClone().AsObject();
        copy[name] = value;
        return copy;
    }
}
