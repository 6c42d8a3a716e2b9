using System.Net;
using System.Text.Json.Nodes;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Work that is announced while somebody else finds nothing to do: another activation that remembers "completed", or retention.</summary>
public sealed class WorkRaceTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Announcement_OfALaterState_OutlivesWhoeverKnowsOnlyTheOlderOne(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var work = new CampaignWorkStore(sample.Database);

        // One activation has read "completed", revision 4; another retries, and will store 5.
        await work.AddAsync(LedgerSample.Campaign, due: null, revision: 5, default);
        await work.RemoveAsync(LedgerSample.Campaign, revision: 4, default);
        Assert.True(await work.AnyAsync(default));
        Assert.True(await work.IsAnnouncedLaterAsync(LedgerSample.Campaign, 4, default));

        // A repetition with an older memory takes nothing back.
        await work.AddAsync(LedgerSample.Campaign, due: null, revision: 3, default);
        await work.RemoveAsync(LedgerSample.Campaign, revision: 4, default);
        Assert.True(await work.AnyAsync(default));

        await work.RemoveAsync(LedgerSample.Campaign, revision: 5, default);
        Assert.False(await work.AnyAsync(default));
    }

    /// <summary>Another server took over whose clock is an hour behind: campaigns would be poked by nobody for that hour. One that is a moment behind makes no second poke.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Work_ThatWasPokedInTheFuture_IsDue(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var work = new CampaignWorkStore(sample.Database);
        await work.AddAsync(LedgerSample.Campaign, due: null, revision: 1, default);
        var every = TimeSpan.FromMinutes(1);
        Assert.Equal([LedgerSample.Campaign], await work.TakeDueAsync(every, default));
        Assert.Empty(await work.TakeDueAsync(every, default));
        await sample.ExecuteAsync("update campaign_work set poked_at = poked_at + 30000");
        Assert.Empty(await work.TakeDueAsync(every, default));
        await sample.ExecuteAsync("update campaign_work set poked_at = poked_at + 3600000");

        Assert.Equal([LedgerSample.Campaign], await work.TakeDueAsync(every, default));
        Assert.Empty(await work.TakeDueAsync(every, default));
    }

    /// <summary>
    /// The announcer ended before it stored anything: the poke takes its row away, but not before the state has moved on, so that an announcer that only stood still
    /// cannot store any more.
    /// </summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Announcement_WithoutAState_GoesAfterTheStateHasMovedPastIt(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(2);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync());
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);
        var grain = bench.Application.Grains.GetGrain<ICampaignGrain>(campaign);
        var work = bench.Application.Services.GetRequiredService<CampaignWorkStore>();
        await UntilAsync(async () => !await work.AnyAsync(default));
        var before = (await grain.GetAsync())!;
        await grain.PokeAsync();
        Assert.Equal(before.Revision, (await grain.GetAsync())!.Revision);

        await work.AddAsync(campaign, due: null, before.Revision + 1, default);
        await grain.PokeAsync();

        var after = (await grain.GetAsync())!;
        Assert.Equal((CampaignStatuses.Completed, before.Revision + 1), (after.Status, after.Revision));
        Assert.False(await work.AnyAsync(default));
    }

    /// <summary>An activation that ends the run before a retry, and is late, takes the retry's pin with it: the provider could forget the version and its host's secrets.</summary>
    [Theory]
    [InlineData("running")]
    [InlineData("paused")]
    public async Task Pin_ThatALateEndTookAway_IsPinnedAgainByTheNextPoke(string status)
    {
        await using var bench = await CampaignBench.StartAsync(nameof(StorageEngine.Sqlite), server, new SandboxOptions { Behaviour = new SandboxBehaviour { LatencyMilliseconds = 20_000 } });
        await bench.ImportAsync(2);
        var id = await bench.ProviderAsync();
        var campaign = await bench.CampaignAsync(id);
        await bench.ActAsync(campaign, "start");
        if (status == "paused")
        {
            await bench.ActAsync(campaign, "pause");
        }

        var provider = bench.Application.Grains.GetGrain<IProviderGrain>(id);
        await provider.Unpin(campaign);

        var grain = bench.Application.Grains.GetGrain<ICampaignGrain>(campaign);
        await grain.PokeAsync();

        Assert.Equal(status, (await grain.GetAsync())!.Status);
        await provider.Archive();
        // An archived one takes no new pin.
        Assert.Equal(new ProviderPinned(ProviderResult.Done, 1), await provider.Pin(campaign, 1));
        Assert.Equal(ProviderResult.Archived, (await provider.Pin(campaign + 1, 1)).Result);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Retry_OfAMonthThatIsGone_IsRefused_AndLeavesNothingBehind(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(5);
        bench.Sandbox.Behaviour = new SandboxBehaviour { AnswerShape = SandboxAnswerShape.Postmark, RefusePartially = true, RefusedAddresses = ["p1@example.com"] };
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(5, new JsonObject
        {
            ["response"] = JsonNode.Parse("""{"records": {"path": "", "matchBy": "position", "accepted": {"path": "ErrorCode", "equals": 0}}}"""),
        }));
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);
        var services = bench.Application.Services;
        var (work, database) = (services.GetRequiredService<CampaignWorkStore>(), services.GetRequiredService<LedgerDatabase>());
        await UntilAsync(async () => !await work.AnyAsync(default));
        await database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync("update runs set batches_removed_at = 1"));
        var before = (await bench.StatsAsync(campaign)).ToJsonString();

        using var refused = await bench.Client.PostAsync($"/v1/campaigns/{campaign}/retry-failed", null);

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("older than retention", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(await work.AnyAsync(default));
        Assert.Equal(before, (await bench.StatsAsync(campaign)).ToJsonString());
        Assert.Equal(1, (int)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}")))["run"]!);
    }

    /// <summary>
    /// Retention looked for work and found none; then a retry announces its work and asks for the marks, whose rows it locks; then retention marks. The marks must
    /// not stay: the retry has seen none.
    /// </summary>
    [Fact]
    public async Task Retention_BesideARetryThatSawNoMarks_KeepsTheMonth()
    {
        var ask = new TaskCompletionSource();
        var marking = new TaskCompletionSource();
        await using var sample = await LedgerSample.CreateAsync(nameof(StorageEngine.PostgreSql), server, statements: sql =>
        {
            if (sql.StartsWith("update runs set batches_removed_at", StringComparison.Ordinal))
            {
                // It has looked; what is announced from here on it has not seen.
                ask.TrySetResult();
                marking.Task.Wait(TimeSpan.FromSeconds(30));
            }
        });
        await sample.RecordAsync(await sample.ClaimAllAsync(), GenericHttpEsp.Dispatch.RecordOutcome.Refused);
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2029, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var retention = new BatchRetention(
            sample.Database, new MonthPartitions(sample.Database), new Retention(Options.Create(new RetentionOptions { BatchDays = 100 }), time), time);
        var work = new CampaignWorkStore(sample.Database);

        var sweeping = Task.Run(() => retention.StepAsync(default));
        await ask.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await work.AddAsync(LedgerSample.Campaign, due: null, revision: 5, default);
        Assert.False(await sample.Database.WriteAsync(WriteKind.Claim, session => RemovedRuns.AnyLockedAsync(session, LedgerSample.Campaign)));
        marking.SetResult();

        await sweeping;
        Assert.Contains(202611, await new MonthPartitions(sample.Database).MonthsAsync("batches", default));
        Assert.False(await sample.Database.ReadAsync(session => RemovedRuns.AnyAsync(session, LedgerSample.Campaign)));
        var audience = await sample.Retries.CreateAsync(LedgerSample.Campaign, 2, 20290101, time.GetUtcNow(), default);
        Assert.Equal(10, audience.Audience);
        await sample.HoldsAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await isSo())
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }
}
