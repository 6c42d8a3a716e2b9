using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class UnsubscribeTests(SharedApplication shared) : IClassFixture<SharedApplication>
{
    public static TheoryData<string> Bodies => ["none", "button", "one-click", "multipart"];

    [Fact]
    public async Task Page_ChangesNothing_AndNeedsNothingFromElsewhere()
    {
        var application = shared.Application;
        var link = await LinkAsync(application, campaign: 7);
        using var anyone = application.Anonymous();

        var page = await anyone.GetAsync(link, Cancel);
        var html = await page.Content.ReadAsStringAsync(Cancel);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.True(page.Headers.CacheControl?.NoStore);
        Assert.StartsWith("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("noindex", page.Headers.GetValues("X-Robots-Tag").Single(), StringComparison.Ordinal);
        Assert.Single(html.Split("<button").Skip(1));
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("//", html, StringComparison.Ordinal);
        Assert.DoesNotContain(_email, html, StringComparison.Ordinal);
        Assert.Equal("subscribed", await StatusAsync(application));
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Post_UnsubscribesBeforeItAnswers(string body)
    {
        var barrier = new SignalBarrier();
        await using var application = await RecipientsApiTests.StartAsync(barrier);
        var link = await LinkAsync(application, campaign: 7);
        using var anyone = application.Anonymous();
        HttpContent? content = body switch
        {
            "button" => new FormUrlEncodedContent([]),
            "one-click" => new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]),
            "multipart" => new MultipartFormDataContent { { new StringContent("One-Click"), "List-Unsubscribe" } },
            _ => null,
        };

        var answer = await anyone.PostAsync(link, content, Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.Equal(1, barrier.Waits);
        Assert.Equal("unsubscribed", await StatusAsync(application));
    }

    [Fact]
    public async Task Click_AfterThePersonCameBack_WorksAgain()
    {
        var application = shared.Application;
        var link = await LinkAsync(application, campaign: 7);
        using var anyone = application.Anonymous();
        await anyone.PostAsync(link, null, Cancel);
        await application.Client.PutAsJsonAsync($"/v1/recipients/{_email}/subscription", new { status = "subscribed" }, Cancel);
        Assert.Equal("subscribed", await StatusAsync(application));

        await anyone.PostAsync(link, null, Cancel);

        Assert.Equal("unsubscribed", await StatusAsync(application));
    }

    [Fact]
    public async Task Click_OfAnErasedRecipient_IsAnsweredAsDone()
    {
        var application = shared.Application;
        var link = await LinkAsync(application, campaign: 7);
        await application.Client.DeleteAsync($"/v1/recipients/{_email}", Cancel);
        using var anyone = application.Anonymous();
        Assert.Equal(HttpStatusCode.OK, (await anyone.PostAsync(link, null, Cancel)).StatusCode);
    }

    [Fact]
    public async Task Link_OfATestMessage_ChangesNothingAndSaysSo()
    {
        var application = shared.Application;
        var link = await LinkAsync(application, campaign: 0);
        using var anyone = application.Anonymous();
        foreach (var answer in new[] { await anyone.GetAsync(link, Cancel), await anyone.PostAsync(link, null, Cancel) })
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("test message", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        Assert.Equal("subscribed", await StatusAsync(application));
    }

    [Fact]
    public async Task DamagedLinks_AndLargeBodies_AreRefused()
    {
        var application = shared.Application;
        var link = await LinkAsync(application, campaign: 7);
        using var anyone = application.Anonymous();
        foreach (var damaged in (string[])[link[..^1], link + "A", link[..^1] + (link[^1] == 'A' ? 'B' : 'A'), "/u/x", $"/u/{new string('A', 2000)}"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await anyone.GetAsync(damaged, Cancel)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await anyone.PostAsync(damaged, null, Cancel)).StatusCode);
        }

        var large = new StringContent(new string('x', 100_000), Encoding.ASCII, "application/x-www-form-urlencoded");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await anyone.PostAsync(link, large, Cancel)).StatusCode);
        Assert.Equal("subscribed", await StatusAsync(application));
    }

    // Its own recipient for each test: they share the application.
    private readonly string _email = $"{Guid.NewGuid():N}@x.org";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<string> LinkAsync(TestApplication application, long campaign)
    {
        await application.Client.PutAsJsonAsync($"/v1/recipients/{_email}", new { }, Cancel);
        var key = application.Services.GetRequiredService<RecipientKey>().Of(EmailAddress.Parse(_email, out _)!);
        var profile = await application.Services.GetRequiredService<ProfileStore>().FindAsync(key, Cancel);
        var keys = application.Services.GetRequiredService<MetaKeyRing>();
        return "/u/" + new MessageToken(campaign, 0, new DateOnly(2026, 11, 24), profile!.Row.Id, MessageMeta.DefaultVariant).Format(keys.Current);
    }

    private async Task<string?> StatusAsync(TestApplication application) =>
        (await application.Client.GetFromJsonAsync<JsonElement>($"/v1/recipients/{_email}", Cancel)).GetProperty("subscription").GetProperty("status").GetString();
}
