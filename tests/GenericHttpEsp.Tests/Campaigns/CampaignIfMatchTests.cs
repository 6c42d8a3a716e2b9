using System.Net;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class CampaignIfMatchTests(PostgresServer server)
{
    [Fact]
    public async Task Actions_WithTheCurrentTag_GoThrough_AndWithTheOneBeforeChangeNothing()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(1);
        var provider = await bench.ProviderAsync();
        var campaign = await bench.CampaignAsync(provider, new() { ["schedule"] = DateTimeOffset.UnixEpoch.AddYears(200).ToString("O") });
        foreach (var (action, status) in new[] { ("start", "scheduled"), ("stop", "stopped") })
        {
            var before = await TagAsync(bench, campaign);
            Assert.Equal(HttpStatusCode.OK, await SendAsync(bench, HttpMethod.Post, $"/{campaign}/{action}", before));
            Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(bench, HttpMethod.Post, $"/{campaign}/{action}", before));
            Assert.Equal(status, (string)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}")))["status"]!);
        }

        // What the status forbids is told to whoever has seen it.
        Assert.Equal(HttpStatusCode.Conflict, await SendAsync(bench, HttpMethod.Post, $"/{campaign}/pause", await TagAsync(bench, campaign)));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(bench, HttpMethod.Post, "/987654/pause", "*"));
    }

    [Fact]
    public async Task Delete_WithAStaleTag_KeepsTheDraft()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync());
        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(bench, HttpMethod.Delete, $"/{campaign}", "\"77\""));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(bench, HttpMethod.Delete, $"/{campaign}", await TagAsync(bench, campaign)));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(bench, HttpMethod.Delete, $"/{campaign}", "*"));
    }

    /// <summary>Between reading the revision and the action somebody else may act: the grain itself compares.</summary>
    [Fact]
    public async Task Action_WhoseRevisionWasPassed_IsStaleInTheGrainToo()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        var grain = bench.Application.Grains.GetGrain<ICampaignGrain>(await bench.CampaignAsync(await bench.ProviderAsync()));
        var seen = (await grain.GetAsync())!;
        await grain.ReplaceAsync(seen.Contract, seen.Revision);

        Assert.Equal(CampaignRefusal.Stale, (await grain.ActIfAsync(CampaignAction.Delete, seen.Revision)).Refusal);
        Assert.Equal(CampaignRefusal.None, (await grain.ActIfAsync(CampaignAction.Delete, seen.Revision + 1)).Refusal);
        Assert.Equal(CampaignRefusal.NotFound, (await grain.ActIfAsync(CampaignAction.Delete, seen.Revision + 1)).Refusal);
    }

    private static async Task<string> TagAsync(CampaignBench bench, long campaign)
    {
        using var answer = await bench.Client.GetAsync($"/v1/campaigns/{campaign}");
        return answer.Headers.ETag!.Tag;
    }

    private static async Task<HttpStatusCode> SendAsync(CampaignBench bench, HttpMethod method, string path, string tag)
    {
        using var request = new HttpRequestMessage(method, $"/v1/campaigns{path}");
        request.Headers.Add("If-Match", tag);
        using var answer = await bench.Client.SendAsync(request);
        return answer.StatusCode;
    }
}
