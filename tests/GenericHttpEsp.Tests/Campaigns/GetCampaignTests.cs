using System.Text.Json.Nodes;
using GenericHttpEsp.Tests.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class GetCampaignTests(PostgresServer server)
{
    /// <summary>SocketsHttpHandler repeats a request without content by itself when a kept connection closes under it: ours must not.</summary>
    [Fact]
    public async Task Get_WhoseKeptConnectionClosesUnanswered_ArrivesOnceAndIsUnknown()
    {
        var connections = 0;
        await using var esp = new RawServer(async connection =>
        {
            var isFirst = Interlocked.Increment(ref connections) == 1;
            for (var request = 1; await connection.HeadAsync() is { Length: > 0 }; request++)
            {
                if (isFirst && request == 2)
                {
                    return;
                }

                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(3);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(more: new JsonObject
        {
            ["requestType"] = "GET",
            ["endpoint"] = $"http://127.0.0.1:{esp.Port}/send",
            ["parameters"] = JsonNode.Parse(
                """{"from": "$$FromName", "sender": "$$FromAddress", "to": "$$To", "mid": "$$MessageID", "html": "$$HTML", "subject": "$$Subject"}"""),
            ["batch"] = null,
            // One after the other, on one kept connection.
            ["limits"] = new JsonObject { ["concurrency"] = 1 },
        }));

        await bench.ActAsync(campaign, "start");
        var stats = await bench.WatchAsync(campaign);

        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Equal((2, 1), ((int)stats["accepted"]!, (int)stats["unknown"]!));
        Assert.Equal(2, esp.Connections);
        var arrived = esp.Heads.Select(static head => System.Web.HttpUtility.ParseQueryString(new Uri("http://esp" + head.Split(' ')[1]).Query)["to"]);
        Assert.Equal(["p0@example.com", "p1@example.com", "p2@example.com"], arrived.Order());
    }
}
