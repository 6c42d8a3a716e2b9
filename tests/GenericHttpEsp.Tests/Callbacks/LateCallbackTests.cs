using System.Net;
using System.Text.Json.Nodes;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Callbacks;

/// <summary>What comes back about runs that are older than retention, and what reports say of them.</summary>
public sealed class LateCallbackTests(PostgresServer server)
{
    /// <summary>Whether it was counted before its rows went nobody knows: it forbids, and is not counted again; the ESP has nothing to repeat.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task EventOfARemovedMonth_ForbidsByKey_AndIsNotRecorded(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 3, settings: "--Retention:EventDays=60");
        var old = TimeProvider.System.GetUtcNow().AddDays(-100).UtcDateTime;
        var date = (old.Year * 10000) + (old.Month * 100) + old.Day;
        (await bench.Client.DeleteAsync("/v1/recipients/p2@example.com")).EnsureSuccessStatusCode();
        var body = CallbackBench.Body(
        [
            bench.Event("spam", 1, meta: bench.Meta(1, date: date)), bench.Event("unsubscribed", 2, meta: bench.Meta(2, date: date)),
            bench.Event("clicked", 1, meta: bench.Meta(1, date: date)),
        ]);

        for (var time = 0; time < 3; time++)
        {
            var answer = await bench.AcceptedAsync(body);
            Assert.Equal((3, 0), ((int)answer["PROCESSED_EVENTS"]!, answer["UNPROCESSED_EVENTS"]!.AsArray().Count));
        }

        Assert.Equal((0, ""), ((int)(await bench.StateAsync()).EventRows, (await bench.StateAsync()).Counters));
        Assert.Empty(await bench.Campaigns.Application.Services.GetRequiredService<MonthPartitions>().MonthsAsync("events", default));
        await bench.Campaigns.ImportAsync(3);
        Assert.Equal(["subscribed", "unsubscribed", "unsubscribed"], [await bench.StatusAsync(0), await bench.StatusAsync(1), await bench.StatusAsync(2)]);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RemovedRun_SaysSo_InEveryAnswer_AndCannotBeRetried(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(30);
        bench.Sandbox.Behaviour = bench.Sandbox.Behaviour with { RefusedAddresses = ["p7@example.com"] };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10));
        await bench.ActAsync(campaign, "start");
        var stats = await bench.WatchAsync(campaign);
        // As if it had begun long ago.
        await bench.Application.Services.GetRequiredService<MonthPartitions>().EnsureAsync("batches", [20200101], default);
        foreach (var table in (string[])["runs", "batches"])
        {
            await bench.Application.Services.GetRequiredService<LedgerDatabase>().WriteAsync(
                WriteKind.Event, session => session.ExecuteAsync($"update {table} set run_date = 20200101"));
        }

        while (!await bench.Application.Services.GetRequiredService<RetentionSweeper>().SweepAsync(default))
        {
        }

        Assert.Equal((29, 1), ((int)stats["accepted"]!, (int)stats["refused"]!));
        Assert.Equal(stats.ToJsonString(), (await bench.StatsAsync(campaign)).ToJsonString());
        var audit = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        Assert.Contains("older than retention", (string)audit["notes"]![0]!, StringComparison.Ordinal);
        var timeline = await CampaignBench.OkAsync(bench.Client.GetAsync("/v1/recipients/p7@example.com/timeline"));
        Assert.Equal(("removed", "older than retention"), ((string)timeline["items"]![0]!["kind"]!, (string)timeline["items"]![0]!["detail"]!));
        var lines = (await bench.Client.GetStringAsync($"/v1/campaigns/{campaign}/export")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(30, lines.Length);
        Assert.All(lines, static line => Assert.Equal("removed", (string)JsonNode.Parse(line)!["outcome"]!));
        var errors = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/errors"));
        Assert.Equal("older than retention", (string)Assert.Single(errors["groups"]!.AsArray())!["reason"]!);
        using var retry = await bench.Client.PostAsync($"/v1/campaigns/{campaign}/retry-failed", null);
        Assert.Equal(HttpStatusCode.Conflict, retry.StatusCode);
        Assert.Contains("older than retention", await retry.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
