using System.Net;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Providers;

public sealed class ProviderIfMatchTests
{
    [Fact]
    public async Task Actions_WithTheCurrentTag_GoThrough_AndWithTheOneBeforeChangeNothing()
    {
        await using var app = await ProviderSample.StartAsync();
        var id = (await app.CreateAsync()).Id();
        foreach (var action in (string[])["/rotate-callback", "/archive"])
        {
            var before = await TagAsync(app, id);
            Assert.Equal(HttpStatusCode.OK, await SendAsync(app, HttpMethod.Post, $"{id}{action}", before));
            var after = await TagAsync(app, id);
            Assert.NotEqual(before, after);
            Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(app, HttpMethod.Post, $"{id}{action}", before));
            Assert.Equal(after, await TagAsync(app, id));
        }

        Assert.Equal(HttpStatusCode.PreconditionFailed, await SendAsync(app, HttpMethod.Delete, $"{id}", "\"1\""));
        Assert.Equal(HttpStatusCode.NoContent, await SendAsync(app, HttpMethod.Delete, $"{id}", await TagAsync(app, id)));
        Assert.Equal(HttpStatusCode.NotFound, await SendAsync(app, HttpMethod.Delete, $"{id}", "*"));
    }

    /// <summary>Between reading the revision and the action somebody else may act: the grain itself compares.</summary>
    [Fact]
    public async Task Action_WhoseRevisionWasPassed_IsStaleInTheGrainToo()
    {
        await using var app = await ProviderSample.StartAsync();
        var grain = app.Grains.GetGrain<IProviderGrain>((await app.CreateAsync()).Id());
        Assert.Equal(ProviderResult.Done, (await grain.AddCallbackTokenIf("token", false, 1)).Result);
        // Repeated, it finds its own work.
        Assert.Equal(ProviderResult.Done, (await grain.AddCallbackTokenIf("token", false, 1)).Result);
        Assert.Equal(ProviderResult.Stale, (await grain.AddCallbackTokenIf("other", false, 1)).Result);
        Assert.Equal(ProviderResult.Stale, (await grain.ArchiveIf(1)).Result);
        Assert.Equal(ProviderResult.Stale, (await grain.DeleteIf(1)).Result);
        Assert.Equal(ProviderResult.Done, (await grain.DeleteIf(2)).Result);
    }

    private static async Task<string> TagAsync(TestApplication app, long id)
    {
        using var answer = await app.Client.GetAsync($"/v1/providers/{id}");
        return answer.Headers.ETag!.Tag;
    }

    private static async Task<HttpStatusCode> SendAsync(TestApplication app, HttpMethod method, string path, string tag)
    {
        using var request = new HttpRequestMessage(method, $"/v1/providers/{path}");
        request.Headers.Add("If-Match", tag);
        using var answer = await app.Client.SendAsync(request);
        return answer.StatusCode;
    }
}
