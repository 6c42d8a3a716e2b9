using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class RecipientsApiTests(PostgresServer server, SharedApplication shared) : IClassFixture<SharedApplication>
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Recipient_PutReadListedAndErased(string engine)
    {
        var barrier = new SignalBarrier();
        await using var application = await StartAsync(barrier, Engines.Parse(engine), server);
        var path = "/v1/recipients/Ann%2BTag@Example.org";
        var body = """{"attributes":{"plan":"pro","n":1.50},"lists":["News","VIP"],"timeZone":"Europe/Berlin"}""";

        Assert.Equal(HttpStatusCode.Created, (await PutAsync(application, path, body)).StatusCode);
        var changed = await PutAsync(application, path, """{"email":"ann+tag@EXAMPLE.org","attributes":{"plan":null},"lists":["News"]}""");

        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        var expected = """{"email":"ann+tag@EXAMPLE.org","attributes":{"n":1.50},"lists":["News"],"timeZone":"Europe/Berlin","subscription":{"status":"subscribed","reason":null,"since":null}}""";
        Assert.Equal(expected, await changed.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(expected, await application.Client.GetStringAsync(path, Cancel));
        var page = await application.Client.GetFromJsonAsync<JsonElement>("/v1/recipients?list=News&limit=1", Cancel);
        Assert.Equal(1, page.GetProperty("items").GetArrayLength());
        var rest = await application.Client.GetFromJsonAsync<JsonElement>($"/v1/recipients?list=News&cursor={page.GetProperty("nextCursor").GetString()}", Cancel);
        Assert.Equal(0, rest.GetProperty("items").GetArrayLength());

        Assert.Equal(HttpStatusCode.NoContent, (await application.Client.DeleteAsync(path, Cancel)).StatusCode);
        Assert.Equal(1, barrier.Waits);
        Assert.Equal(HttpStatusCode.NotFound, (await application.Client.GetAsync(path, Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("\"a|b\"@x.org")]
    [InlineData("\"a/b\"@x.org")]
    [InlineData("a/b@x.org")]
    [InlineData("a%2Fb@x.org")]
    [InlineData("o'neil+x=1@x.org")]
    [InlineData("jo@bücher.example")]
    public async Task OddAddresses_InThePath_AreWhoTheySay(string address)
    {
        var application = shared.Application;
        var path = $"/v1/recipients/{Uri.EscapeDataString(address)}";
        Assert.Equal(HttpStatusCode.Created, (await PutAsync(application, path, "{}")).StatusCode);
        var read = await application.Client.GetFromJsonAsync<JsonElement>(path, Cancel);
        Assert.Equal(address, read.GetProperty("email").GetString());
        var unsubscribed = await PutAsync(application, path + "/subscription", """{"status":"unsubscribed"}""");
        Assert.Equal("by_hand", (await unsubscribed.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("/v1/recipients/nobody", "{}", 422)]
    [InlineData("/v1/recipients/a@x.org", "{", 400)]
    [InlineData("/v1/recipients/a@x.org", """{"attributes":{"a":1,"a":2}}""", 400)]
    [InlineData("/v1/recipients/a@x.org", """{"email":"b@x.org"}""", 422)]
    [InlineData("/v1/recipients/a@x.org", """{"atributes":{}}""", 422)]
    [InlineData("/v1/recipients/a@x.org", """{"lists":[""]}""", 422)]
    [InlineData("/v1/recipients/a@x.org/subscription", """{"status":"away"}""", 422)]
    [InlineData("/v1/recipients/a@x.org/subscription", """{"reason":"x"}""", 422)]
    [InlineData("/v1/recipients/a@x.org/subscription", """{"status":"subscribed","reason":"a\u0007b"}""", 422)]
    public async Task WrongBodies_AreProblems(string path, string body, int status)
    {
        var application = shared.Application;
        var answer = await PutAsync(application, path, body);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Unsubscribe_IsAnsweredBehindTheBarrier_AlsoTheSecondTime()
    {
        var barrier = new SignalBarrier();
        await using var application = await StartAsync(barrier);
        await PutAsync(application, "/v1/recipients/a@x.org", "{}");
        barrier.Close();

        var first = PutAsync(application, "/v1/recipients/a@x.org/subscription", """{"status":"unsubscribed","reason":"by phone"}""");
        await barrier.Reached;
        var read = await application.Client.GetFromJsonAsync<JsonElement>("/v1/recipients/a@x.org", Cancel);
        var second = PutAsync(application, "/v1/recipients/A@x.org/subscription", """{"status":"unsubscribed"}""");

        Assert.Equal("unsubscribed", read.GetProperty("subscription").GetProperty("status").GetString());
        Assert.False(first.IsCompleted || second.IsCompleted);
        barrier.Open();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal("by phone", (await (await second).Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("reason").GetString());
        Assert.Equal(2, barrier.Waits);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ErasedAndLoadedAgain_StaysUnsubscribed_AndLeavesNoAddressBehind(string engine)
    {
        await using var application = await StartAsync(new SignalBarrier(), Engines.Parse(engine), server);
        await PutAsync(application, "/v1/recipients/ann.example@x.org", """{"attributes":{"name":"ann.example@x.org"}}""");
        await PutAsync(application, "/v1/recipients/ann.example@x.org/subscription", """{"status":"unsubscribed","reason":"ann.example@x.org phoned"}""");
        await application.Client.DeleteAsync("/v1/recipients/ann.example@x.org", Cancel);

        var ledger = application.Services.GetRequiredService<LedgerDatabase>();
        Assert.Equal(0, await ledger.ReadAsync(
            session => session.FirstAsync("select count(*) from profiles, subscriptions where reason like '%ann%'", static row => row.GetInt64(0)), Cancel));
        await PutAsync(application, "/v1/recipients/ann.example@x.org", "{}");
        var read = await application.Client.GetFromJsonAsync<JsonElement>("/v1/recipients/ann.example@x.org", Cancel);
        Assert.Equal("unsubscribed", read.GetProperty("subscription").GetProperty("status").GetString());
    }

    [Fact]
    public async Task Lists_MadeListedAndDeleted()
    {
        var application = shared.Application;
        async Task<HttpStatusCode> Post(string body) =>
            (await application.Client.PostAsync("/v1/lists", new StringContent(body, Encoding.UTF8, "application/json"), Cancel)).StatusCode;

        Assert.Equal(HttpStatusCode.Created, await Post("""{"name":"News/Paris 1"}"""));
        Assert.Equal(HttpStatusCode.OK, await Post("""{"name":"News/Paris 1"}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await Post("""{"name":" x"}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await Post("{}"));
        var page = await application.Client.GetFromJsonAsync<JsonElement>("/v1/lists", Cancel);
        Assert.Equal("News/Paris 1", page.GetProperty("items")[0].GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await application.Client.DeleteAsync("/v1/lists/News%2FParis%201", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await application.Client.DeleteAsync("/v1/lists/News%2FParis%201", Cancel)).StatusCode);
    }

    [Fact(Explicit = true)]
    public async Task Measured_TwentyThousandUnsubscribesAtOnce()
    {
        var application = shared.Application;
        var changes = application.Services.GetRequiredService<AcknowledgedChanges>();
        for (var round = 0; round < 3; round++)
        {
            var keys = Enumerable.Range(0, 20_000).Select(_ => System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)).ToArray();
            foreach (var kind in (string[])["cold", "warm, changes nothing"])
            {
                var started = System.Diagnostics.Stopwatch.GetTimestamp();
                var cpu = Environment.CpuUsage.TotalTime;
                await Task.WhenAll(keys.Select(key => changes.SetByHandAsync(key, SubscriptionStatus.Unsubscribed, null, Cancel)));
                var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
                var each = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / keys.Length;
                Console.WriteLine($"{keys.Length} unsubscribes, {kind}: {seconds:0.00} s, {keys.Length / seconds:0}/s, {each:0} us CPU each");
            }
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal static Task<TestApplication> StartAsync(
        SignalBarrier barrier, StorageEngine engine = StorageEngine.Sqlite, PostgresServer? server = null, string[]? settings = null) =>
        TestApplication.StartAsync(engine, server, settings, builder => builder.Services.AddSingleton<IForbidBarrier>(barrier));

    private static Task<HttpResponseMessage> PutAsync(TestApplication application, string path, string body) =>
        application.Client.PutAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Cancel);
}
