using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxControlApiTests : SandboxTest
{
    [Fact]
    public async Task Behaviour_Posted_ReplacesTheOld()
    {
        using var posted = await ControlAsync("behaviour", """
            {"tooManyRequestsShare":1,"script":{"2":{"action":"acceptThenAnswer","status":207}},"callbacks":{"deliveredShare":0.5}}
            """);
        using var first = await PostAsync(Batch("a@x.test"));
        using var second = await PostAsync(Batch("a@x.test"));

        Assert.Equal(HttpStatusCode.NoContent, posted.StatusCode);
        Assert.Equal([429, 207], new[] { first, second }.Select(answer => (int)answer.StatusCode));
        Assert.Equal(0.5, Host.Behaviour.Callbacks.DeliveredShare);
        var read = await Client.GetFromJsonAsync<JsonElement>(new Uri(Host.Address, "/_sandbox/behaviour"), Cancel);
        Assert.Equal(1, read.GetProperty("tooManyRequestsShare").GetInt32());
    }

    [Theory]
    [InlineData("""{"tooManyRequestShare":1}""", 400)]
    [InlineData("""{"tooManyRequestsShare":2}""", 422)]
    [InlineData("""{"script":{"1":{"status":99}}}""", 422)]
    [InlineData("""{"callbacks":{"scripted":{"a@x.test":["opened"]}}}""", 422)]
    [InlineData("null", 422)]
    [InlineData("nonsense", 400)]
    public async Task Behaviour_ThatIsWrong_IsRefused(string body, int status)
    {
        using var posted = await ControlAsync("behaviour", body);

        Assert.Equal(status, (int)posted.StatusCode);
        Assert.Equal(0, Host.Behaviour.TooManyRequestsShare);
    }

    [Fact]
    public async Task Hold_AndRelease_WorkOverHttp_AndTheLogWaits()
    {
        using var hold = await ControlAsync("hold?point=beforeBody", "");
        using var unknown = await ControlAsync("hold?point=nowhere", "");
        Assert.Equal([204, 400], new[] { hold, unknown }.Select(answer => (int)answer.StatusCode));
        var waiting = Client.GetStringAsync(new Uri(Host.Address, "/_sandbox/log?wait=true"), Cancel);
        var sending = PostAsync(Batch("a@x.test"));
        await Host.WaitForHeldRequestsAsync(1, Cancel);
        Assert.Contains("\"head\"", await waiting, StringComparison.Ordinal);
        Assert.Single(Host.Entries());

        using var release = await ControlAsync("release", "");
        using var answer = await sending;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task LogSummaryAndBody_AreReadOverHttp()
    {
        var body = Batch("a+b@x.test");
        using var answer = await PostAsync(body);
        await EntryAsync(SandboxEntryKind.Answered, 1);

        var log = await Client.GetStringAsync(new Uri(Host.Address, "/_sandbox/log?after=1&limit=1"), Cancel);
        var summary = await Client.GetFromJsonAsync<JsonElement>(new Uri(Host.Address, "/_sandbox/summary"), Cancel);
        var kept = await Client.GetStringAsync(new Uri(Host.Address, "/_sandbox/requests/1/body"), Cancel);
        var request = await Client.GetFromJsonAsync<JsonElement>(new Uri(Host.Address, "/_sandbox/requests/1"), Cancel);
        using var missing = await Client.GetAsync(new Uri(Host.Address, "/_sandbox/requests/2/body"), Cancel);

        var entry = JsonDocument.Parse(Assert.Single(log.Split('\n', StringSplitOptions.RemoveEmptyEntries))).RootElement;
        Assert.Equal(("end", "a+b@x.test"), (entry.GetProperty("kind").GetString(), entry.GetProperty("addresses")[0].GetString()));
        Assert.Equal(1, summary.GetProperty("messagesAccepted").GetInt32());
        Assert.Equal(1, summary.GetProperty("requests").GetInt32());
        Assert.Equal(body, kept);
        Assert.Equal("/send", request.GetProperty("pathAndQuery").GetString());
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Callback_OrderedByHand_IsPosted()
    {
        await using var receiver = await SandboxReceiver.StartAsync();

        using var ordered = await ControlAsync("callbacks", $$"""{"type":"clicked","email":"a@x.test","meta":"m","url":"{{receiver.Url}}"}""");
        await Host.WaitForCallbacksAsync(Cancel);
        using var wrong = await ControlAsync("callbacks", """{"type":"clicked","email":"a@x.test","meta":"m"}""");

        Assert.Equal(HttpStatusCode.NoContent, ordered.StatusCode);
        Assert.Equal(["clicked/clicked/a@x.test"], receiver.Events);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
    }

    [Fact]
    public async Task Paths_BesideTheControl_AreSendEndpoints()
    {
        using var content = new StringContent(Batch("a@x.test"), Encoding.UTF8, "application/json");
        using var answer = await Client.PostAsync(new Uri(Host.Address, "/_sandboxed"), content, Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task<HttpResponseMessage> ControlAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await Client.PostAsync(new Uri(Host.Address, $"/_sandbox/{path}"), content, Cancel);
    }
}
