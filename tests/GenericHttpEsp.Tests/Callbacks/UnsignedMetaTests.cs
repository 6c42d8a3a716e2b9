using System.Net.Http.Json;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class UnsignedMetaTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Unsigned_WaitsForAPerson_AndReplayTakesWhatNamesAMessageOfOurs(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 5);
        var campaign = await SentAsync(bench);
        var ours = bench.Event("unsubscribed", 2, "left", 1_730_714_617, Unsigned(bench, 2, campaign));
        var foreign = bench.Event("spam", 3, meta: Unsigned(bench, 3, campaign + 1));
        for (var i = 0; i < 2; i++)
        {
            var answer = await bench.AcceptedAsync(ours, foreign);
            Assert.Equal((2, 0), ((int)answer["TOTAL_EVENTS"]!, (int)answer["PROCESSED_EVENTS"]!));
            Assert.All(answer["UNPROCESSED_EVENTS"]!.AsArray(), static one => Assert.StartsWith("quarantined: ", (string)one!["error"]!, StringComparison.Ordinal));
        }

        Assert.Equal(("subscribed", 0), (await bench.StatusAsync(2), (await bench.StateAsync()).EventRows));
        var path = $"/v1/providers/{bench.Provider}/quarantine";
        Assert.Equal(2, (await CampaignBench.OkAsync(bench.Client.GetAsync(path)))["items"]!.AsArray().Count);

        var replay = await CampaignBench.OkAsync(bench.Client.PostAsync(path + "/replay", null));

        Assert.Equal(1, (int)replay["replayed"]!);
        Assert.Contains("no message of ours", (string)Assert.Single(replay["left"]!.AsArray())!["error"]!, StringComparison.Ordinal);
        Assert.Equal(("unsubscribed", "subscribed"), (await bench.StatusAsync(2), await bench.StatusAsync(3)));
        Assert.Equal(1, (int)(await bench.Campaigns.StatsAsync(campaign))["unsubscribed"]!);
        Assert.Single((await CampaignBench.OkAsync(bench.Client.GetAsync(path)))["items"]!.AsArray());
        (await bench.Client.DeleteAsync(path)).EnsureSuccessStatusCode();
        Assert.Empty((await CampaignBench.OkAsync(bench.Client.GetAsync(path)))["items"]!.AsArray());
    }

    [Fact]
    public async Task Quarantine_HoldsNoReadableAddress()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server);
        await bench.AcceptedAsync(bench.Event("spam", 3, meta: Unsigned(bench, 3, 9)));
        var kept = await bench.Database.ReadAsync(session => session.QueryAsync("select sealed from quarantine", static row => row.GetFieldValue<byte[]>(0)));
        Assert.True(Assert.Single(kept).AsSpan().IndexOf("p3@example.com"u8) < 0);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Unsigned_WhereTheProviderAcceptsIt_MustNameAMessageOfOurs(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, acceptUnsigned: true, people: 5);
        var campaign = await SentAsync(bench);
        var stranger = bench.Event("spam", 1, meta: Unsigned(bench, 77, campaign));
        var otherDay = bench.Event("spam", 1, meta: bench.Meta(1, signed: false, campaign: campaign, date: 20200101));
        var forwarded = bench.Event("spam", 2, meta: Unsigned(bench, 2, campaign));
        forwarded["email"] = "somebody.else@example.com";

        var answer = await bench.AcceptedAsync(stranger, otherDay, forwarded);

        Assert.Equal([0, 1], answer["UNPROCESSED_EVENTS"]!.AsArray().Select(static one => (int)one!["index"]!));
        Assert.Equal(["subscribed", "subscribed", "unsubscribed"], [await bench.StatusAsync(0), await bench.StatusAsync(1), await bench.StatusAsync(2)]);
        Assert.Equal(1, (int)(await bench.Campaigns.StatsAsync(campaign))["spam"]!);
    }

    [Fact]
    public async Task Version1_ForbidsOnlyWhereUnsignedMetasAreAccepted()
    {
        const string Body =
            """[{"event":"hardbounce","data":[{"e":"P1@example.com","ts":1730714617},{"e":"stranger@x.org"}]},{"event":"softbounce","data":[{"e":"p2@example.com"}]}]""";
        await using var careful = await CallbackBench.StartAsync("Sqlite", server, people: 3);
        Assert.Equal(0, (int)(await careful.AcceptedAsync(Body))["PROCESSED_EVENTS"]!);
        Assert.Equal("subscribed", await careful.StatusAsync(1));

        await using var trusting = await CallbackBench.StartAsync("Sqlite", server, acceptUnsigned: true, people: 3);
        Assert.Equal((3, 1), ((int)(await trusting.AcceptedAsync(Body))["TOTAL_EVENTS"]!, (int)(await trusting.AcceptedAsync(Body))["PROCESSED_EVENTS"]!));
        Assert.Equal(["unsubscribed", "subscribed"], [await trusting.StatusAsync(1), await trusting.StatusAsync(2)]);
    }

    [Fact]
    public async Task ForgedMeta_ChangesNothing_EvenWhereUnsignedMetasAreAccepted()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, acceptUnsigned: true, people: 3);
        var campaign = await SentAsync(bench);
        var before = await bench.StateAsync();
        var signed = bench.Meta(1, campaign: campaign);
        var forged = new[] { signed[..^1], signed + "A", signed.Replace("p1@", "p2@", StringComparison.Ordinal), signed[..^23] + new string('A', 23), signed[..^23] + "z" + signed[^22..] };
        var answer = await bench.AcceptedAsync([.. forged.Select(meta => bench.Event("spam", 1, meta: meta))]);
        Assert.Equal(0, (int)answer["PROCESSED_EVENTS"]!);
        Assert.Equal(before, await bench.StateAsync());
    }

    [Fact]
    public async Task ComingBack_ANewerEventForbidsAgain_AnOlderCopyDoesNot()
    {
        await using var bench = await CallbackBench.StartAsync("Sqlite", server, people: 2);
        await bench.AcceptedAsync(bench.Event("unsubscribed", 1, timestamp: 1000));
        await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync("/v1/recipients/p1@example.com/subscription", new { status = "subscribed" }));

        await bench.AcceptedAsync(bench.Event("unsubscribed", 1, timestamp: 1000));
        await bench.AcceptedAsync(bench.Event("unsubscribed", 1, timestamp: 900));
        Assert.Equal("subscribed", await bench.StatusAsync(1));

        await bench.AcceptedAsync(bench.Event("unsubscribed", 1, timestamp: 1001));
        Assert.Equal("unsubscribed", await bench.StatusAsync(1));
        Assert.Equal(1, (await bench.StateAsync()).EventRows);
    }

    private static string Unsigned(CallbackBench bench, int person, long campaign)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        return bench.Meta(person, signed: false, campaign: campaign, date: (now.Year * 10000) + (now.Month * 100) + now.Day);
    }

    private static async Task<long> SentAsync(CallbackBench bench)
    {
        var campaign = await bench.Campaigns.CampaignAsync(bench.Provider);
        await bench.Campaigns.ActAsync(campaign, "start");
        await bench.Campaigns.WatchAsync(campaign);
        return campaign;
    }
}
