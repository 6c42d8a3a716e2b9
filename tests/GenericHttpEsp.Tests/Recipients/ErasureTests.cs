using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Content;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Callbacks;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Recipients;

/// <summary>Erased is: no byte of the address in what is stored or logged, and what forbids still forbids.</summary>
public sealed class ErasureTests(PostgresServer server)
{
    private const string Given = "Erna.Muster-7F3a+News@BÜCHER-shop.example";
    private const string Unfit = "erna.muster-7f3a+news@bücher-shop.example";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Erased_StandsNowhere_InFilesTablesAndLogs(string engine)
    {
        using var log = new CapturedLog();
        await using var esp = await QuotingEsp.StartAsync();
        await using var bench = await CampaignBench.StartAsync(
            engine, server, null, builder => builder.Logging.AddProvider(log), "--Logging:LogLevel:Default=Trace");
        var database = bench.Application.Services.GetRequiredService<LedgerDatabase>();
        await bench.ImportAsync(100);
        await bench.ImportLineAsync($$$"""{"email":"{{{Given}}}","attributes":{"login":"{{{Given}}}"}}""");
        await bench.ImportLineAsync($$"""{"email":"{{Given.ToUpperInvariant()}}"}""");
        await bench.ImportAsync(100, from: 100);
        await RejectedAsync(bench);
        var provider = await bench.ProviderAsync(
            more: new JsonObject { ["endpoint"] = esp.Endpoint, ["answers"] = new JsonObject { ["statuses"] = new JsonObject { ["409"] = "accepted" } } });
        await LiveAsync(bench, esp, provider);
        await QuarantinedAsync(bench, provider);
        await BounceAndClickAsync(bench, provider);
        await ListAsync(bench);

        Assert.NotEmpty(LedgerDump.Hits(await LedgerDump.ReadAsync(database, bench.Application.Folder), Spellings));
        Assert.Contains("(address)", await LedgerDump.ReadAsync(database, bench.Application.Folder), StringComparison.Ordinal);
        (await bench.Client.DeleteAsync($"/v1/recipients/{Uri.EscapeDataString(Given.ToUpperInvariant())}")).EnsureSuccessStatusCode();

        Assert.Empty(LedgerDump.Hits(await LedgerDump.ReadAsync(database, bench.Application.Folder), Spellings));
        Assert.NotEmpty(log.Text);
        Assert.Empty(LedgerDump.Hits(log.Text, Spellings));
        // What is stored works on: a campaign whose batches hold the erased one explains itself.
        await bench.HoldsAsync(1);
        await CampaignBench.OkAsync(bench.Client.GetAsync("/v1/campaigns/1/errors"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ImportedAgain_IsWhatTheyWere_AndLateCallbacksActByKey(string engine)
    {
        await using var bench = await CallbackBench.StartAsync(engine, server, people: 6);
        await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync("/v1/recipients/p0@example.com/subscription", new { status = "unsubscribed" }));
        var before = await IdsAsync(bench);
        for (var person = 0; person < 6; person++)
        {
            (await bench.Client.DeleteAsync($"/v1/recipients/P{person}@EXAMPLE.com")).EnsureSuccessStatusCode();
        }

        string[] late = ["hard_bounce", "unsubscribed", "spam"];
        foreach (var (index, type) in late.Index())
        {
            Assert.Equal(1, (int)(await bench.AcceptedAsync(bench.Event(type, index + 1)))["PROCESSED_EVENTS"]!);
        }

        Assert.Equal(1, (int)(await bench.AcceptedAsync(bench.Event("clicked", 4)))["PROCESSED_EVENTS"]!);
        await bench.Campaigns.ImportAsync(6);

        Assert.Equal(
            ["unsubscribed", "unsubscribed", "unsubscribed", "unsubscribed", "subscribed", "subscribed"],
            await Task.WhenAll(Enumerable.Range(0, 6).Select(bench.StatusAsync)));
        Assert.Empty((await IdsAsync(bench)).Intersect(before));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ErasedWhileSending_IsSkipped_AndInNoLaterRequest(string engine)
    {
        const int people = 1500;
        await using var bench = await CampaignBench.StartAsync(engine, server);
        bench.Sandbox.Behaviour = bench.Sandbox.Behaviour with { LatencyMilliseconds = 30 };
        await bench.ImportAsync(people);
        var campaign = await bench.CampaignAsync(
            await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 2 } }));
        await bench.ActAsync(campaign, "start");
        var acknowledged = new AcknowledgementLog();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 100).Select(static i => $"p{(i * 15) + 7}@example.com"),
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (email, _) =>
            {
                (await bench.Client.DeleteAsync($"/v1/recipients/{email}", CancellationToken.None)).EnsureSuccessStatusCode();
                acknowledged.Read(email);
            });
        var stats = await bench.WatchAsync(campaign);

        // A head may wait for a thread of this busy process before it is logged.
        Assert.DoesNotContain(acknowledged.LateBy(bench.Sandbox.Entries()), static milliseconds => milliseconds > 50);
        Assert.True((int)stats["skippedByReason"]!["erased"]! > 5, stats.ToJsonString());
        Assert.Equal(people, (int)stats["accepted"]! + (int)stats["skippedByReason"]!["erased"]!);
        await bench.HoldsAsync(campaign);
    }

    /// <summary>Every spelling that was used, and the part of it that no other text of the run holds.</summary>
    private static IEnumerable<string> Spellings
    {
        get
        {
            var normalised = EmailAddress.Parse(Given, out _)!.Normalised;
            string[] plain = [Given, Given.ToUpperInvariant(), Unfit, normalised];
            return [.. plain, .. plain.Select(Uri.EscapeDataString), normalised[..normalised.IndexOf('@', StringComparison.Ordinal)], "erna.muster", "xn--bcher-shop"];
        }
    }

    /// <summary>Accepted, refused, and a pause with the ESP's words as its reason: all of them quote.</summary>
    private static async Task LiveAsync(CampaignBench bench, QuotingEsp esp, long provider)
    {
        await CampaignBench.OkAsync(bench.Client.PostAsJsonAsync($"/v1/providers/{provider}/test", new
        {
            subject = "Hello",
            html = "<b>Hello</b>",
            recipients = new[] { new { email = Given } },
        }));
        foreach (var (status, end) in new[] { (200, "completed"), (409, "completed"), (451, "completed"), (422, "paused"), (401, "paused") })
        {
            esp.Status = status;
            var campaign = await bench.CampaignAsync(provider);
            await bench.ActAsync(campaign, "start");
            var stats = await bench.WatchAsync(campaign, stats => (string)stats["status"]! == end);
            Assert.Equal(end, (string)stats["status"]!);
        }
    }

    private static async Task RejectedAsync(CampaignBench bench)
    {
        using var body = new StringContent($$"""{"email":"{{Given}}","timeZone":"Atlantis/{{Given}}"}""");
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        body.Headers.Add("Idempotency-Key", "import");
        Assert.Equal(1, (int)(await CampaignBench.OkAsync(bench.Client.PostAsync("/v1/recipients/import", body)))["rejected"]!);
    }

    /// <summary>A list that somebody named after the person, made with a key and deleted: its answer is kept.</summary>
    private static async Task ListAsync(CampaignBench bench)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/lists") { Content = JsonContent.Create(new { name = Unfit }) };
        request.Headers.Add("Idempotency-Key", "list");
        await CampaignBench.OkAsync(bench.Client.SendAsync(request));
        (await bench.Client.DeleteAsync($"/v1/lists/{Uri.EscapeDataString(Unfit)}")).EnsureSuccessStatusCode();
    }

    private static Task QuarantinedAsync(CampaignBench bench, long provider) => PostAsync(bench, provider, signed: false, "spam", quarantined: true);

    private static async Task BounceAndClickAsync(CampaignBench bench, long provider)
    {
        foreach (var type in (string[])["soft_bounce", "clicked", "hard_bounce"])
        {
            await PostAsync(bench, provider, signed: true, type, quarantined: false);
        }
    }

    private static async Task PostAsync(CampaignBench bench, long provider, bool signed, string type, bool quarantined)
    {
        var services = bench.Application.Services;
        var now = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        var meta = new MessageMeta(Given, services.GetRequiredService<InstallationKeys>().AccountId, 1, now, 1, MessageMeta.DefaultVariant, 101)
            .Format(services.GetRequiredService<MetaKeyRing>().Current);
        var one = new JsonObject
        {
            ["type"] = type,
            ["email"] = Given,
            ["meta"] = signed ? meta : meta[..(meta.LastIndexOf('|') + 1)],
            ["description"] = $"550 <{Given}> https://x.example/?u={Uri.EscapeDataString(Unfit)} {Unfit}",
        };
        var path = new Uri((string)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/providers/{provider}")))["callbackUrl"]!).AbsolutePath;
        var answer = await CampaignBench.OkAsync(bench.Client.PostAsync(path, new StringContent(CallbackBench.Body([one]))));
        Assert.Equal(quarantined ? 0 : 1, (int)answer["PROCESSED_EVENTS"]!);
    }

    private static Task<List<long>> IdsAsync(CallbackBench bench) =>
        bench.Database.ReadAsync(session => session.QueryAsync("select id from profiles", static row => row.GetInt64(0)));
}
