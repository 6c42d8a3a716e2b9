using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Content and people made to do harm: they fail alone, with a reason, and the process lives.</summary>
public sealed class PoisonFlowTests(PostgresServer server)
{
    public static TheoryData<string> Loops =>
    [
        "{% for i in (1..10000) %}{% for j in (1..10000) %}{% endfor %}{% endfor %}",
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..27) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    ];

    [Fact]
    public async Task Template_ThatIsTooDeep_IsRefusedAtSave()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        var provider = await bench.ProviderAsync();
        foreach (var html in (string[])
            [
                string.Concat(Enumerable.Repeat("{% if true %}", 3000)) + string.Concat(Enumerable.Repeat("{% endif %}", 3000)),
                "{{ a" + string.Concat(Enumerable.Repeat("[a", 20_000)),
                "{% include 'self' %}",
            ])
        {
            using var answer = await bench.Client.PostAsJsonAsync(
                "/v1/campaigns", new { name = "Poison", providerId = provider, audience = new { all = true }, subject = "Hello", html });
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity, $"{(int)answer.StatusCode}");
            Assert.Contains("/html", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Empty((await CampaignBench.OkAsync(bench.Client.GetAsync("/v1/campaigns")))["items"]!.AsArray());
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task Template_ThatIsEndlessForEverybody_IsRefusedAtSave(string loop)
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        var provider = await bench.ProviderAsync();
        var campaign = await bench.CampaignAsync(provider);
        foreach (var pointer in (string[])["subject", "html", "plaintext", "ampHtml"])
        {
            var body = new JsonObject
            {
                ["name"] = "Poison",
                ["providerId"] = provider,
                ["audience"] = new JsonObject { ["all"] = true },
                ["subject"] = "Hello",
                ["html"] = "<p>Hello</p>",
            };
            body[pointer] = $"Hello {loop}";
            foreach (var (method, path) in new[] { (HttpMethod.Post, "/v1/campaigns"), (HttpMethod.Put, $"/v1/campaigns/{campaign}") })
            {
                using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
                using var answer = await bench.Client.SendAsync(request);
                Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
                Assert.Contains("cannot be rendered", (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["errors"]![$"/{pointer}"]![0]!, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Each text is small enough; what the provider's template makes of them is not, for anybody.</summary>
    [Fact]
    public async Task Record_ThatIsTooLargeForEverybody_IsRefusedAtStart_AndInAPreview()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(1);
        var provider = await bench.ProviderAsync(10, new JsonObject
        {
            ["parameters"] = JsonNode.Parse(
                """
                {"msgs": [{"from": "$$FromName", "senderaddr": "$$FromAddress", "to": "$$To", "mid": "$$MessageID", "heading": "$$Subject", "unsubscribe": "$$UnsubscribeURL",
                  "one": "$$HTML", "two": "$$HTML", "three": "$$HTML", "four": "$$HTML", "five": "$$HTML"}]}
                """),
        });
        var html = $"<p>Dear {{{{ profile.name }}}}, {new string('x', 250_000)}</p>";
        var campaign = await bench.CampaignAsync(provider, new JsonObject { ["html"] = html });

        using var start = await bench.Client.PostAsync($"/v1/campaigns/{campaign}/start", null);
        using var preview = await bench.Client.PostAsJsonAsync(
            $"/v1/providers/{provider}/preview", new { subject = "Hello", html, recipients = new[] { new { email = "a@example.com" } } });

        Assert.Equal((HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity), (start.StatusCode, preview.StatusCode));
        Assert.Contains("larger than", (string)JsonNode.Parse(await start.Content.ReadAsStringAsync())!["errors"]!["/providerId"]![0]!, StringComparison.Ordinal);
        Assert.Contains("larger than", (string)JsonNode.Parse(await preview.Content.ReadAsStringAsync())!["errors"]!["/recipients/0"]![0]!, StringComparison.Ordinal);
        Assert.Equal("draft", (string)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}")))["status"]!);
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task Template_ThatIsEndlessForSome_SkipsThemAlone(string loop)
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(60);
        var campaign = await bench.CampaignAsync(
            await bench.ProviderAsync(10), new JsonObject { ["html"] = $"<p>Hello {{% if profile.plan == 'gold' %}}{loop}{{% endif %}}</p>" });
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal(("completed", 40L, 20L), ((string)stats["status"]!, (long)stats["accepted"]!, (long)stats["skippedByReason"]!["render"]!));
        await bench.HoldsAsync(campaign);
    }

    [Fact]
    public async Task People_WithPoisonedData_AreRejectedSkippedOrSentSafely()
    {
        const int Good = 40;
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(Good);
        var large = new string('x', 63 * 1024);
        var (inserted, rejected) = await ImportAsync(
            bench,
            """{"email":"no address","attributes":{"name":"A"}}""",
            """{"email":"x@example.com\r\nBcc: y@example.com","attributes":{"name":"B"}}""",
            """{"email":"nul\u0000@example.com","attributes":{"name":"C"}}""",
            $$$"""{"email":"tooLarge@example.com","attributes":{"name":"{{{large}}}{{{large}}}"}}""",
            $$$"""{"email":"large@example.com","attributes":{"name":"{{{large}}}"}}""",
            """{"email":"crlf@example.com","attributes":{"name":"D\r\nBcc: evil@example.com"}}""",
            """{"email":"nulname@example.com","attributes":{"name":"E\u0000"}}""",
            """{"email":"surrogate@example.com","attributes":{"name":"F\ud800"}}""",
            """{"email":"liquid@example.com","attributes":{"name":"G \"quoted\" </p> \\"}}""");
        Assert.InRange(rejected, 4, 6);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10));
        await bench.ActAsync(campaign, "start");

        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal(Good + inserted, (long)stats["accepted"]! + (long)stats["skippedByReason"]!["render"]!);
        var taken = bench.Sandbox.Entries().SelectMany(static entry => entry.AcceptedAddresses).ToHashSet();
        Assert.All(Enumerable.Range(0, Good), i => Assert.Contains($"p{i}@example.com", taken));
        Assert.Contains("crlf@example.com", taken);
        Assert.Equal(0, bench.Sandbox.Summary().RequestsRefused);
        foreach (var body in bench.Sandbox.Bodies)
        {
            foreach (var record in JsonNode.Parse(body.Body.Span)!["msgs"]!.AsArray())
            {
                // What becomes a header of the mail is one line.
                Assert.DoesNotContain(((string)record!["heading"]!).EnumerateRunes(), static rune => Rune.IsControl(rune));
            }
        }

        await bench.HoldsAsync(campaign);
    }

    private static async Task<(int Inserted, int Rejected)> ImportAsync(CampaignBench bench, params string[] lines)
    {
        using var body = new StringContent(string.Join('\n', lines));
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        var answer = await CampaignBench.OkAsync(bench.Client.PostAsync("/v1/recipients/import", body));
        Assert.Equal(lines.Length, (int)answer["received"]!);
        return ((int)answer["inserted"]!, (int)answer["rejected"]!);
    }
}
