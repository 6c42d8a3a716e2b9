using System.Net;
using System.Text.Json.Nodes;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Providers;

public sealed class ProviderVersionsTests
{
    [Fact]
    public async Task Version_Pinned_OutlivesTwentyLaterOnes()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var grain = app.Grains.GetGrain<IProviderGrain>(made.Id());
        Assert.Equal(new(ProviderResult.Done, 1), await grain.Pin(77, null));
        for (var i = 2; i <= 25; i++)
        {
            await app.PutAsync(made.Id(), Changed(made, body => body["defaultFromName"] = $"name {i}"));
        }

        Assert.Equal("Käse & \"Co\"", (await app.RuntimeAsync(made.Id(), 1)).Contract.DefaultFromName);
        Assert.Equal("name 6", (await app.RuntimeAsync(made.Id(), 6)).Contract.DefaultFromName);
        Assert.Null(await app.RuntimeAsync(made.Id(), 5));
        Assert.Equal(25, (await app.RuntimeAsync(made.Id())).Version);
        Assert.Equal(ProviderResult.Missing, (await grain.Pin(78, 5)).Result);
        await grain.Unpin(77);
        await grain.Unpin(77);
        Assert.Null(await grain.ReadVersion(1));
    }

    [Fact]
    public async Task Runtime_OfAnOlderVersion_TakesLimitsAndSecretsOfNow()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("old-password"));
        await app.PutAsync(made.Id(), Changed(made, body =>
        {
            body["defaultFromName"] = "New";
            body["limits"]!["concurrency"] = 99;
            body["headers"]![0]!["value"] = "rotated-key";
            body["authentication"] = new JsonObject { ["type"] = "basic", ["username"] = "other", ["password"] = "new-password" };
        }));
        var old = (await app.RuntimeAsync(made.Id(), 1)).Contract;
        Assert.Equal(("Käse & \"Co\"", 99, "rotated-key"), (old.DefaultFromName, old.Limits!.Concurrency!.Value, old.Headers![0].Value));
        Assert.Equal(("other", "new-password"), (old.Authentication!.Username, old.Authentication.Password));
    }

    [Fact]
    public async Task Secrets_OfANewHost_NeverReachThePinnedVersionsOldHost()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync(ProviderSample.Basic("old-password"));
        var grain = app.Grains.GetGrain<IProviderGrain>(made.Id());
        await grain.Pin(5, 1);
        var moved = Changed(made, body =>
        {
            body["endpoint"] = "https://new.example/send";
            body["headers"]![0]!["value"] = "key-of-the-new-host";
            body["authentication"] = new JsonObject { ["type"] = "none" };
        });
        await app.PutAsync(made.Id(), moved);
        var old = (await app.RuntimeAsync(made.Id(), 1)).Contract;
        Assert.Equal(("old-password", ProviderSample.ApiKey), (old.Authentication!.Password, old.Headers![0].Value));
        Assert.Equal("key-of-the-new-host", (await app.RuntimeAsync(made.Id())).Contract.Headers![0].Value);
        await grain.Unpin(5);
        Assert.Empty((await grain.ReadVersion(1))!.Definition.Sealed);
    }

    [Fact]
    public async Task Delete_OfAProviderThatACampaignUsed_AdvisesToArchive()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var grain = app.Grains.GetGrain<IProviderGrain>(made.Id());
        await grain.Pin(1, null);
        await grain.Unpin(1);
        using var refused = await app.Client.DeleteAsync($"/v1/providers/{made.Id()}");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("/archive", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await grain.Pin(2, null);
        Assert.Equal("archived", (string)(await app.PostAsync($"/v1/providers/{made.Id()}/archive"))["status"]!);
        Assert.Equal("archived", (string)(await app.PostAsync($"/v1/providers/{made.Id()}/archive"))["status"]!);
        Assert.Equal(new(ProviderResult.Archived, 0), await grain.Pin(3, null));
        Assert.Equal(new(ProviderResult.Done, 1), await grain.Pin(2, null));
        Assert.Equal("archived", (await app.RuntimeAsync(made.Id())).Status);
    }

    [Fact]
    public async Task Tokens_AfterRotationArchivingAndDeletion_StayValidUntilRevoked()
    {
        await using var app = await ProviderSample.StartAsync();
        var made = await app.CreateAsync();
        var path = $"/v1/providers/{made.Id()}";
        var first = Token(made);
        var second = Token(await app.PostAsync($"{path}/rotate-callback"));
        Assert.NotEqual(first, second);
        Assert.Equal(second, Token(await app.GetAsync(path)));
        Assert.True(await IsValidAsync(app, first) && await IsValidAsync(app, second));
        var third = Token(await app.PostAsync($"{path}/rotate-callback", new JsonObject { ["revokeOthers"] = true }));
        Assert.False(await IsValidAsync(app, first) || await IsValidAsync(app, second));
        await app.PostAsync($"{path}/archive");
        Assert.True(await IsValidAsync(app, third));
        using var deleted = await app.Client.DeleteAsync(path);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.True(await IsValidAsync(app, third));
        Assert.False(await IsValidAsync(app, third[..^1] + (third[^1] == 'a' ? 'b' : 'a')));
        Assert.False(await IsValidAsync(app, CallbackTokens.New(123456)));
        Assert.False(await IsValidAsync(app, "../../etc"));
    }

    [Fact]
    public async Task Rotate_PastTheMaximum_AsksToRevoke()
    {
        await using var app = await ProviderSample.StartAsync();
        var path = $"/v1/providers/{(await app.CreateAsync()).Id()}/rotate-callback";
        for (var i = 1; i < ProviderChanges.TokensMax; i++)
        {
            await app.PostAsync(path);
        }

        await app.PostAsync(path, null, HttpStatusCode.Conflict);
        Assert.Equal(1, (int)(await app.PostAsync(path, new JsonObject { ["revokeOthers"] = true }))["callbackUrls"]!);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(61)]
    [InlineData((1L << 53) - 1)]
    public void Token_OfAnyId_NamesItsProvider(long id)
    {
        var token = CallbackTokens.New(id);
        Assert.Equal(31, token.Length);
        Assert.Equal(id, CallbackTokens.ProviderOf(token));
        Assert.NotEqual(token, CallbackTokens.New(id));
    }

    private static JsonObject Changed(JsonObject provider, Action<JsonObject> change)
    {
        var body = provider.DeepClone().AsObject();
        change(body);
        return body;
    }

    private static string Token(JsonObject provider) => ((string)provider["callbackUrl"]!).Split('/')[^1];

    private static async Task<bool> IsValidAsync(TestApplication app, string token) =>
        await app.Services.GetRequiredService<ProviderCatalog>().FindByTokenAsync(token, TestContext.Current.CancellationToken) is not null;
}
