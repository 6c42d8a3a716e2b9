using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Providers;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>
/// Providers whose addresses lead to the inside, through the API: refused when they are saved, and never dialled by a preview, a test or a campaign, however
/// their names change their minds. A canary on loopback counts connections.
/// </summary>
public sealed class HostileEndpointTests
{
    /// <summary>{port}: the canary's; {silo}: the silo's own; {own}: where the server listens.</summary>
    private static readonly string[] Inside =
    [
        "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://0177.0.0.1:{port}/", "http://0177.0.0.01:{port}/",
        "http://2130706433:{port}/", "http://0x7f.1:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0x0.0x0.0x1:{port}/", "http://017700000001:{port}/",
        "http://0:{port}/", "http://0.0.0.0:{port}/", "http://127.127.127.127:{port}/", "http://127.0.0.1.:{port}/", "http://[::]:{port}/", "http://[::1]:{port}/",
        "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/",
        "http://[::ffff:0:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[64:ff9b:1::7f00:1]:{port}/", "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]:{port}/", "http://[2001:0:7f00:1::]:{port}/", "http://[fe80::1%25lo]:{port}/", "http://[fec0::1]/", "http://[fd00::1]/", "http://[ff02::1]/",
        "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://198.18.0.1/", "http://240.0.0.1/", "http://255.255.255.255/",
        "http://169.254.169.254/latest/meta-data", "http://169.254.43518/", "http://[fd00:ec2::254]/", "http://good@169.254.169.254/", "http://api.esp.example@127.0.0.1:{port}/",
        "http://user:password@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@api.esp.example/", "http://127.0.0.1:{port}\\@api.esp.example/", "http://api.esp.example\\@127.0.0.1:{port}/",
        "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://a.localhost:{port}/", "http://localhost.localdomain:{port}/",
        "http://\uff11\uff12\uff17.0.0.1:{port}/", "http://127\u30020\u30020\u30021:{port}/", "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
        "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/", "http://%31%32%37.0.0.1:{port}/", "http://metadata.google.internal/", "http://postgres:{port}/",
        "http://api.esp.example:22/", "http://api.esp.example:25/", "http://api.esp.example:5432/", "http://api.esp.example:6379/", "http://127.0.0.1:{silo}/",
        "{own}", "{own}/callbacks/x", "https://mail.example.com/callbacks/x", "https://MAIL.example.com.:443/v1/providers",
        "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "ftp://127.0.0.1/", "dict://127.0.0.1:{port}/", "ldap://127.0.0.1/", "javascript:alert(1)", "data:text/html,x",
        "//127.0.0.1:{port}/", "127.0.0.1:{port}", "/relative", "http:127.0.0.1:{port}", "http:///127.0.0.1:{port}/", "http://", "http://[::1", "http://api.esp.example/x\r\nHost: z", "http://api.esp.example/x y", " http://api.esp.example/",
        "http://api.esp.example:99999/", "http://\u202eelpmaxe.pse/", "", " ",
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Endpoint_ThatLeadsInside_IsRefusedAtSave_AndTheCanarySeesNobody()
    {
        await using var canary = new RawServer(static connection => connection.DrainAsync());
        await using var app = await StartAsync(new NamedResolver(new Dictionary<string, IPAddress[]>()));
        var silo = app.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<EndpointOptions>>().Value.SiloPort;
        var good = await app.CreateAsync();
        var failures = new List<string>();
        foreach (var template in Inside)
        {
            var url = template.Replace("{port}", $"{canary.Port}", StringComparison.Ordinal).Replace("{silo}", $"{silo}", StringComparison.Ordinal)
                .Replace("{own}", app.Address, StringComparison.Ordinal);
            var body = ProviderSample.Body();
            body["endpoint"] = url;
            foreach (var call in (Func<Task<HttpResponseMessage>>[])
                [() => app.Client.PostAsJsonAsync("/v1/providers", body), () => app.Client.PutAsJsonAsync($"/v1/providers/{good.Id()}", body)])
            {
                using var answer = await call();
                var text = await answer.Content.ReadAsStringAsync(Stop);
                failures.AddRange(answer.StatusCode == HttpStatusCode.UnprocessableEntity && text.Contains("\"/endpoint\"", StringComparison.Ordinal)
                    ? [] : [$"{url}: {(int)answer.StatusCode} {text[..Math.Min(text.Length, 200)]}"]);
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.Equal((string)good["endpoint"]!, (string)(await app.GetAsync($"/v1/providers/{good.Id()}"))["endpoint"]!);
        Assert.Equal(0, canary.Connections);
    }

    /// <summary>The names were harmless when they were saved; now each is an address of the inside, or several, or one in disguise.</summary>
    [Fact]
    public async Task Names_ThatTurnInside_AreNotDialled_ByPreviewTestOrCampaign()
    {
        string[] answers = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "64:ff9b::7f00:1", "2002:7f00:1::", "10.0.0.1 127.0.0.1 169.254.169.254 ::ffff:127.0.0.1 fd00::1"];
        await using var canary = new RawServer(static connection => connection.DrainAsync());
        var resolver = new NamedResolver(answers.Index().ToDictionary(
            static answer => $"flips{answer.Index}.example", static answer => answer.Item.Split(' ').Select(IPAddress.Parse).ToArray()));
        await using var app = await StartAsync(resolver);
        using var people = new StringContent("""{"email":"a@example.com"}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/x-ndjson"));
        await CampaignBench.OkAsync(app.Client.PostAsync("/v1/recipients/import", people, Stop));
        var campaigns = new List<long>();
        foreach (var host in resolver.Hosts)
        {
            var body = ProviderSample.Body(endpoint: $"http://{host}:{canary.Port}/send");
            body["preferenceCenter"] = new JsonObject { ["type"] = "customUrl", ["url"] = $"http://127.0.0.1:{canary.Port}/preferences" };
            var provider = (await app.CreateAsync(body)).Id();
            await app.PostAsync($"/v1/providers/{provider}/preview", ProviderSample.Trial("a@example.com"));
            Assert.Equal(0, resolver.Asked(host));
            var test = await app.PostAsync($"/v1/providers/{provider}/test", ProviderSample.Trial("a@example.com"));
            Assert.False((bool)test["sent"]!);
            Assert.Contains("Dispatch:AllowedNetworks", (string)test["failure"]!, StringComparison.Ordinal);
            var campaign = (long)(await CampaignBench.OkAsync(app.Client.PostAsJsonAsync(
                "/v1/campaigns", new { name = "x", providerId = provider, audience = new { all = true }, subject = "x", html = "x", values = new { hid = 1 } })))["id"]!;
            await CampaignBench.OkAsync(app.Client.PostAsync($"/v1/campaigns/{campaign}/start", null, Stop));
            campaigns.Add(campaign);
        }

        // By the test, by the campaign, and by its repetition.
        await resolver.AllAskedAsync(times: 3);
        foreach (var campaign in campaigns)
        {
            await CampaignBench.OkAsync(app.Client.PostAsync($"/v1/campaigns/{campaign}/stop", null, Stop));
            var stats = await CampaignBench.OkAsync(app.Client.GetAsync($"/v1/campaigns/{campaign}/stats", Stop));
            Assert.Equal((1L, 0L, 0L), ((long)stats["audience"]!, (long)stats["accepted"]!, (long)stats["unknown"]!));
        }

        Assert.Equal(0, canary.Connections);
    }

    [Fact]
    public async Task Redirect_ToTheInside_IsAnAnswer_AndNotFollowed()
    {
        await using var canary = new RawServer(static connection => connection.DrainAsync());
        var targets = new Queue<string>([$"http://127.0.0.1:{canary.Port}/", "http://169.254.169.254/latest/meta-data", $"//127.0.0.1:{canary.Port}/", "file:///etc/passwd"]);
        await using var esp = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            var location = targets.Dequeue();
            await connection.SendAsync($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nRefresh: 0; url={location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        });
        var resolver = new NamedResolver(new Dictionary<string, IPAddress[]>());
        await using var app = await StartAsync(resolver, esp.Port);
        var provider = (await app.CreateAsync(ProviderSample.Body(endpoint: $"http://127.0.0.1:{esp.Port}/send"))).Id();

        while (targets.Count > 0)
        {
            Assert.Equal(302, (int)(await app.PostAsync($"/v1/providers/{provider}/test", ProviderSample.Trial("a@example.com")))["status"]!);
        }

        Assert.Equal((0, 4), (canary.Connections, esp.Connections));
    }

    [Fact]
    public async Task PreferenceUrl_ThatIsNoPage_IsRefused()
    {
        await using var app = await StartAsync(new NamedResolver(new Dictionary<string, IPAddress[]>()));
        foreach (var url in (string[])
            ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com/", "https://user:password@example.com/", "https://exa mple.com/", "https://example.com/\r\nX: y",
                " https://example.com/", "https://example.com/\u202e", "https://example.com/\u2028"])
        {
            var body = ProviderSample.Body();
            body["preferenceCenter"] = new JsonObject { ["type"] = "customUrl", ["url"] = url };
            Assert.Equal(["/preferenceCenter/url"], (await app.PostAsync("/v1/providers", body, HttpStatusCode.UnprocessableEntity)).Pointers());
        }
    }

    private static Task<TestApplication> StartAsync(NamedResolver resolver, int? allowedPort = null) => TestApplication.StartAsync(
        settings: ["--PublicUrl=https://mail.example.com", .. allowedPort is null ? (string[])[] : [$"--Dispatch:AllowedNetworks:0=127.0.0.1:{allowedPort}"]],
        configure: builder => builder.Services.AddSingleton<IAddressResolver>(resolver));

    /// <summary>Knows the names of the test, and counts who asks for which.</summary>
    private sealed class NamedResolver(IReadOnlyDictionary<string, IPAddress[]> names) : IAddressResolver
    {
        private readonly ConcurrentDictionary<string, int> _asked = [];
        private readonly Channel<string> _news = Channel.CreateUnbounded<string>();

        public IEnumerable<string> Hosts => names.Keys;

        public int Asked(string host) => _asked.GetValueOrDefault(host);

        public async Task AllAskedAsync(int times)
        {
            while (Hosts.Any(host => Asked(host) < times))
            {
                await _news.Reader.ReadAsync(Stop).AsTask().WaitAsync(CampaignBench.Patience);
            }
        }

        public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            _asked.AddOrUpdate(host, 1, static (_, times) => times + 1);
            _news.Writer.TryWrite(host);
            return Task.FromResult<IReadOnlyList<IPAddress>>(names.GetValueOrDefault(host, [IPAddress.Loopback]));
        }
    }
}
