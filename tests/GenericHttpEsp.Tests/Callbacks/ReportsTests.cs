using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Callbacks;

public sealed class ReportsTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task EveryPerson_ExplainsItself_InAllReports(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 300);
        foreach (var person in (int[])[3, 4])
        {
            await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync($"/v1/recipients/{CallbackBench.Email(person)}/subscription", new { status = "unsubscribed" }));
        }

        bench.Campaigns.Sandbox.Behaviour = new SandboxBehaviour { RefusedAddresses = [CallbackBench.Email(7), CallbackBench.Email(8)] };
        var campaign = await bench.Campaigns.CampaignAsync(await bench.Campaigns.ProviderAsync(40));
        await bench.Campaigns.ActAsync(campaign, "start");
        var stats = await bench.Campaigns.WatchAsync(campaign);
        Assert.Equal((296, 2, 2), ((long)stats["accepted"]!, (long)stats["refused"]!, (long)stats["skipped"]!));
        foreach (var (person, type, description) in new[] { (1, "hard_bounce", "550 no such user"), (2, "hard_bounce", "550 no such user"), (5, "soft_bounce", "full"), (6, "clicked", "link") })
        {
            await bench.AcceptedAsync(bench.Event(type, person, description, 1_800_000_000, MetaOf(bench, person, campaign)));
        }

        var all = await ListAsync(bench, campaign, "limit=37");
        Assert.Equal(300, all.Select(static one => (string)one["email"]!).Distinct().Count());
        Assert.Equal(300, all.Count);
        Assert.Equal(all.Select(static one => (long)one["recipientId"]!).Order(), all.Select(static one => (long)one["recipientId"]!));
        foreach (var (outcome, count) in new[] { ("accepted", 296), ("refused", 2), ("skipped", 2), ("unknown", 0), ("failed", 0), ("toCome", 0) })
        {
            var some = await ListAsync(bench, campaign, $"outcome={outcome}&limit=1000".Replace("1000", "50", StringComparison.Ordinal));
            Assert.Equal(count, some.Count);
            Assert.Equal(all.Where(one => (string)one["outcome"]! == outcome).Select(static one => one.ToJsonString()), some.Select(static one => one.ToJsonString()));
        }

        Assert.Equal("unsubscribed", (string)all.Single(static one => (string)one["email"]! == "p3@example.com")["reason"]!);
        Assert.Contains("400", (string)all.Single(static one => (string)one["email"]! == "p7@example.com")["reason"]!, StringComparison.Ordinal);

        var groups = (await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/errors")))["groups"]!.AsArray();
        Assert.Equal(2, groups.Where(static group => (string)group!["outcome"]! == "refused").Sum(static group => (long)group!["count"]!));
        var bounces = Assert.Single(groups, static group => (string)group!["outcome"]! == "hardBounce")!;
        Assert.Equal(("550 no such user", 2, 2), ((string)bounces["reason"]!, (int)bounces["count"]!, bounces["samples"]!.AsArray().Count));
        var skipped = Assert.Single(groups, static group => (string)group!["outcome"]! == "skipped")!;
        Assert.Equal(("unsubscribed", 2, "p3@example.com p4@example.com"), (
            (string)skipped["reason"]!, (int)skipped["count"]!, string.Join(' ', skipped["samples"]!.AsArray().Select(static one => (string)one!["email"]!).Order())));

        var timeline = await CampaignBench.OkAsync(bench.Client.GetAsync("/v1/recipients/p1@example.com/timeline"));
        Assert.Equal(["Notification Failed", "Channel Unsubscribed", "accepted"], timeline["items"]!.AsArray().Select(static one => (string)one!["kind"]!));
        Assert.Equal("hard_bounce", (string)timeline["subscription"]!["reason"]!);
        var skippedOne = (await CampaignBench.OkAsync(bench.Client.GetAsync("/v1/recipients/p3@example.com/timeline")))["items"]!.AsArray();
        Assert.Equal(("skipped", "unsubscribed"), ((string)skippedOne[0]!["kind"]!, (string)skippedOne[0]!["detail"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await bench.Client.GetAsync("/v1/recipients/nobody@example.com/timeline")).StatusCode);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Exports_AreNdjsonOrCsv_AndCarryNoFormulas(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 30);
        var campaign = await bench.Campaigns.CampaignAsync(bench.Provider);
        await bench.Campaigns.ActAsync(campaign, "start");
        await bench.Campaigns.WatchAsync(campaign);
        await bench.AcceptedAsync(bench.Event("hard_bounce", 1, "=cmd|' /C calc'!A0", 1_800_000_000, MetaOf(bench, 1, campaign)));
        await bench.AcceptedAsync(bench.Event("delivered", 2, null, null, MetaOf(bench, 2, campaign)));

        var lines = await LinesAsync(bench, $"/v1/events/export?campaignId={campaign}", "application/x-ndjson");
        var events = lines.Select(static line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(["Channel Unsubscribed", "Notification Delivered", "Notification Failed"], events.Select(static one => (string)one["event"]!).Order());
        var failed = events.Single(static one => (string)one["event"]! == "Notification Failed");
        Assert.Equal(("Error", "=cmd|' /C calc'!A0", "p1@example.com"), ((string)failed["property"]!, (string)failed["value"]!, (string)failed["email"]!));
        Assert.Equal("Type", (string)events.Single(static one => (string)one["event"]! == "Channel Unsubscribed")["property"]!);

        var csv = await LinesAsync(bench, "/v1/events/export", "text/csv");
        Assert.Equal(4, csv.Length);
        Assert.StartsWith("event,campaignId,run,", csv[0], StringComparison.Ordinal);
        Assert.Contains(csv, static line => line.Contains("\"'=cmd|' /C calc'!A0\"", StringComparison.Ordinal));

        Assert.Equal(30, (await LinesAsync(bench, $"/v1/campaigns/{campaign}/export", "*/*")).Length);
        Assert.Equal(31, (await LinesAsync(bench, $"/v1/campaigns/{campaign}/export?outcome=accepted", "text/csv")).Length);

        var provider = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/providers/{bench.Provider}/stats"));
        Assert.Equal((30, 1, 1), ((int)provider["accepted"]!, (int)provider["lastHour"]!["delivered"]!, (int)provider["days"]![0]!["events"]!["hardBounce"]!));
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("\n=1", "\"'\n=1\"")]
    [InlineData("\0=1", "'\0=1")]
    [InlineData("\uFF1D1", "'\uFF1D1")]
    [InlineData("\uFF0B1", "'\uFF0B1")]
    [InlineData("\uFF0D1", "'\uFF0D1")]
    [InlineData("\uFF20SUM(A1)", "'\uFF20SUM(A1)")]
    [InlineData("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"")]
    [InlineData("=1;=2", "\"'=1;=2\"")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("a\nb", "\"a\nb\"")]
    [InlineData("plain", "plain")]
    [InlineData(-5, "-5")]
    public void Cell_IsSafeInASpreadsheet(object value, string cell) => Assert.Equal(cell, Export.Cell(value));

    private static string MetaOf(CallbackBench bench, int person, long campaign)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        return bench.Meta(person, campaign: campaign, date: (now.Year * 10000) + (now.Month * 100) + now.Day);
    }

    private static async Task<List<JsonNode>> ListAsync(CallbackBench bench, long campaign, string query)
    {
        var items = new List<JsonNode>();
        for (string? cursor = null; ;)
        {
            var page = await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}/recipients?{query}" + (cursor is null ? "" : $"&cursor={cursor}")));
            items.AddRange(page["items"]!.AsArray().Select(static item => item!.DeepClone()));
            cursor = (string?)page["nextCursor"];
            if (cursor is null)
            {
                return items;
            }
        }
    }

    private static async Task<string[]> LinesAsync(CallbackBench bench, string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using var answer = await bench.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
