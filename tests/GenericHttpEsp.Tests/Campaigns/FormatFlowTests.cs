using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using System.Xml.Linq;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Providers;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>A whole campaign in each format: import, start, everybody once, as the ESP read it.</summary>
public sealed class FormatFlowTests(PostgresServer server)
{
    private const string Rest = "<from>$$FromName</from><addr>$$FromAddress</addr><subject>$$Subject</subject><html>$$HTML</html>";
    private static readonly JsonObject Shared = new() { ["subject"] = "Hello & <all>", ["html"] = "<p>It is \"autumn\" ]]></p>" };

    [Fact]
    public async Task Form_OneByOne_ReachesEverybody()
    {
        await using var bench = await StartAsync(25);
        var fields = """{"to": "$$To", "mid": "$$MessageID", "from": "$$FromName <$$FromAddress>", "subject": "$$Subject", "html": "$$HTML", "cc": "$$cc"}""";
        await RunAsync(bench, 25, new() { ["bodyFormat"] = "form", ["parameters"] = JsonNode.Parse(fields), ["batch"] = null }, requests: 25);
        var form = HttpUtility.ParseQueryString(Text(bench.Sandbox.Bodies[0], "application/x-www-form-urlencoded"));
        Assert.Equal(($"Hello {Name(form["to"]!)}", "", "Acme <deals@acme.example>"), (form["subject"], form["cc"], form["from"]));
        Assert.StartsWith($"<p>Dear {Name(form["to"]!)}, it is autumn. <a href=\"http", form["html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_Batched_ReachesEverybody()
    {
        await using var bench = await StartAsync(130);
        var fields = """{"to": ["$$To"], "from": "$$FromName <$$FromAddress>", "subject": "$$Subject", "html": "$$HTML", "id": "$$BatchID"}""";
        await RunAsync(
            bench, 130, new() { ["bodyFormat"] = "form", ["parameters"] = JsonNode.Parse(fields), ["batch"] = new JsonObject { ["parameter"] = "to", ["size"] = 50 } }, 3, Shared);
        var form = HttpUtility.ParseQueryString(Text(bench.Sandbox.Bodies[0], "application/x-www-form-urlencoded"));
        Assert.Equal((string)Shared["html"]!, form["html"]);
    }

    [Fact]
    public async Task Xml_Batched_ReachesEverybody()
    {
        await using var bench = await StartAsync(130);
        var source = $"<send campaign=\"$$CampaignID\"><key>$$BatchID</key>\n<msg mid=\"$$MessageID\"><to>$$To</to><name>{{{{ profile.name }}}}</name>{Rest}</msg></send>";
        await RunAsync(bench, 130, new() { ["bodyFormat"] = "xml", ["parameters"] = source, ["batch"] = new JsonObject { ["parameter"] = "msg", ["size"] = 50 } }, requests: 3);
        var message = XElement.Parse(Text(bench.Sandbox.Bodies[0], "application/xml; charset=utf-8")).Elements("msg").ElementAt(7);
        var name = Name(message.Element("to")!.Value);
        Assert.Equal((name, $"Hello {name}"), (message.Element("name")!.Value, message.Element("subject")!.Value));
        Assert.StartsWith($"<p>Dear {name}, it is autumn. <a href=\"http", message.Element("html")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_OneByOne_ReachesEverybody()
    {
        await using var bench = await StartAsync(25);
        var source = "to: $$To\nmid: $$MessageID\nfrom: $$FromName $$FromAddress\nsubject: $$Subject\n\n$$HTML";
        await RunAsync(bench, 25, new() { ["bodyFormat"] = "text", ["parameters"] = source, ["batch"] = null }, requests: 25);
        Assert.StartsWith("to: p", Text(bench.Sandbox.Bodies[0], "text/plain; charset=utf-8"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_OneByOne_ReachesWhomItFits()
    {
        await using var bench = await StartAsync(24);
        await bench.ImportLineAsync("{\"email\":\"long@example.com\",\"attributes\":{\"name\":\"" + new string('ä', 2000) + "\"}}");
        var fields = """{"to": "$$To", "mid": "$$MessageID", "from": "$$FromName", "sender": "$$FromAddress", "subject": "$$Subject", "key": "planted-key-in-the-url"}""";
        var provider = new JsonObject
        {
            ["requestType"] = "GET",
            ["endpoint"] = new Uri(bench.Sandbox.Address, "/send?v=1").ToString(),
            ["parameters"] = JsonNode.Parse(fields),
            ["batch"] = null,
        };
        var stats = await RunAsync(bench, 24, provider, requests: 24);
        Assert.Equal((25, 1), ((long)stats["audience"]!, (long)stats["skippedByReason"]!["render"]!));
        var url = bench.Sandbox.Bodies[0].PathAndQuery;
        Assert.StartsWith("/send?v=1&to=p", url, StringComparison.Ordinal);
        Assert.EndsWith("&key=planted-key-in-the-url", url, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Gzip_Batched_ReachesEverybody(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(430);
        await RunAsync(bench, 430, new() { ["compression"] = "gzip", ["batch"] = new JsonObject { ["parameter"] = "msgs", ["size"] = 200 } }, requests: 3);
        Assert.All(bench.Sandbox.Bodies, request => Assert.Equal("gzip", request.Header("Content-Encoding")));
        var first = bench.Sandbox.Bodies[0];
        Assert.InRange(long.Parse(first.Header("Content-Length")!, System.Globalization.CultureInfo.InvariantCulture), 1, first.Body.Length / 3);
    }

    [Fact]
    public async Task Answer_QuotingOurSecrets_IsMaskedInTheLedger()
    {
        await using var esp = await RecordingServer.StartAsync();
        await using var bench = await StartAsync(1);
        var provider = await bench.ProviderAsync(more: new JsonObject
        {
            ["endpoint"] = $"{esp.Address}/send?token=planted%20token+one",
            ["parameters"] = JsonNode.Parse("""{"key": "planted \"key\" two", "to": "$$To", "s": "$$Subject", "h": "$$HTML", "f": "$$FromName", "a": "$$FromAddress"}"""),
            ["batch"] = null,
        });
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);

        Assert.Contains("planted", Encoding.UTF8.GetString(Assert.Single(esp.Arrivals).Body), StringComparison.Ordinal);
        var answer = Assert.Single(await bench.Application.Services.GetRequiredService<LedgerDatabase>().ReadAsync(
            session => session.QueryAsync("select answer from batches limit 10", static row => row.GetString(0))));
        Assert.Contains("****", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("planted", answer, StringComparison.Ordinal);
    }

    private async Task<CampaignBench> StartAsync(int people)
    {
        var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(people);
        return bench;
    }

    private static async Task<JsonNode> RunAsync(CampaignBench bench, int accepted, JsonObject provider, int requests, JsonObject? campaign = null)
    {
        var id = await bench.CampaignAsync(await bench.ProviderAsync(more: provider), campaign);
        await bench.ActAsync(id, "start");
        var stats = await bench.WatchAsync(id);
        Assert.Equal(("completed", accepted), ((string)stats["status"]!, (long)stats["accepted"]!));
        await bench.HoldsAsync(id);
        var summary = bench.Sandbox.Summary();
        Assert.Equal((accepted, 0), (summary.MessagesAccepted, summary.RequestsRefused));
        Assert.Equal(requests, bench.Sandbox.Entries().Count(static entry => entry.Kind == SandboxEntryKind.End));
        return stats;
    }

    private static string Text(SandboxRequest request, string type)
    {
        Assert.Equal(type, request.Header("Content-Type"));
        return Encoding.UTF8.GetString(request.Body.Span);
    }

    private static string Name(string email) => $"Person {email[1..email.IndexOf('@', StringComparison.Ordinal)]}";
}
