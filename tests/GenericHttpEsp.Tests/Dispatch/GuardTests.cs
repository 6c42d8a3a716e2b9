using System.Net;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class GuardTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("192.0.1.1", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("100.128.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("64:ff9b::808:808", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.255.254", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.0.0.8", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("192.88.99.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("198.19.255.255", false)]
    [InlineData("198.51.100.1", false)]
    [InlineData("203.0.113.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("239.255.255.255", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:0:10.0.0.1", false)]
    [InlineData("64:ff9b::a9fe:a9fe", false)]
    [InlineData("64:ff9b:1::808:808", false)]
    [InlineData("100::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2", false)]
    [InlineData("2001:2::1", false)]
    [InlineData("2001:10::1", false)]
    [InlineData("2001:20::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2002:808:808::1", false)]
    [InlineData("3fff::1", false)]
    [InlineData("5f00::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd12:3456::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fe80::1%1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("ff02::1", false)]
    public void Address_IsPublicOrNot(string address, bool isPublic) => Assert.Equal(isPublic, PublicInternet.Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.0.0.0/8", "any", "10.9.9.9", 80, true)]
    [InlineData("10.0.0.0/8", "any", "::ffff:10.9.9.9", 80, true)]
    [InlineData("10.0.0.0/8", "any", "11.0.0.1", 80, true)]
    [InlineData("10.0.0.0/8", "any", "192.168.0.1", 80, false)]
    [InlineData("127.0.0.1", "any", "127.0.0.1", 5432, true)]
    [InlineData("127.0.0.1", "any", "127.0.0.2", 80, false)]
    [InlineData("127.0.0.1:5080", "any", "127.0.0.1", 5080, true)]
    [InlineData("127.0.0.1:5080", "any", "127.0.0.1", 11111, false)]
    [InlineData("::1", "any", "::1", 80, true)]
    [InlineData("[::1]:5080", "any", "::1", 5080, true)]
    [InlineData("[::1]:5080", "any", "::1", 80, false)]
    [InlineData("fd00::/8", "any", "fd00::1", 80, true)]
    [InlineData("esp.internal", "ESP.internal.", "10.0.0.1", 443, true)]
    [InlineData("esp.internal:8443", "esp.internal", "10.0.0.1", 443, false)]
    [InlineData("esp.internal:8443", "esp.internal", "10.0.0.1", 8443, true)]
    [InlineData("esp.internal", "evil.esp.internal", "10.0.0.1", 443, false)]
    [InlineData("esp.internal", "any", "10.0.0.1", 443, false)]
    [InlineData("10.0.0.0/8", "any", "8.8.8.8", 25, false)]
    [InlineData("8.8.8.8:25", "any", "8.8.8.8", 25, true)]
    public void AllowedNetwork_OpensWhatItNames(string entry, string host, string address, int port, bool allowed) =>
        Assert.Equal(allowed, Policy(entry).Allows(host, IPAddress.Parse(address), port));

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.0.0.1:99999")]
    [InlineData("http://esp.internal")]
    [InlineData("*.internal")]
    [InlineData("")]
    public void AllowedNetwork_ThatIsNone_IsRefused(string entry) => Assert.Throws<FormatException>(() => AllowedNetwork.Parse(entry));

    [Theory]
    [InlineData("https://api.example.com/v1/send")]
    [InlineData("http://api.example.com:8080/")]
    [InlineData("https://b\u00fccher.example/")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("http://127.0.0.1:5080/send")]
    public void Endpoint_OnTheInternetOrAllowed_MayBeSaved(string url) => Assert.Null(new EndpointRules(Policy("127.0.0.1:5080")).Check(new Uri(url)));

    [Theory]
    [InlineData("http://127.1/", "Dispatch:AllowedNetworks")]
    [InlineData("http://0177.0.0.1/", "'127.0.0.1:80'")]
    [InlineData("http://2130706433/", "'127.0.0.1:80'")]
    [InlineData("http://0x7f.1/", "'127.0.0.1:80'")]
    [InlineData("http://127.0.0.1./", "'127.0.0.1:80'")]
    [InlineData("http://127.0.0.1:5081/", "'127.0.0.1:5081'")]
    [InlineData("http://\uff11\uff12\uff17.0.0.1/", "Dispatch:AllowedNetworks")]
    [InlineData("http://[::]/", "Dispatch:AllowedNetworks")]
    [InlineData("http://[::1]/", "'[::1]:80'")]
    [InlineData("http://[::ffff:10.0.0.1]/", "Dispatch:AllowedNetworks")]
    [InlineData("http://[64:ff9b::a9fe:a9fe]/", "Dispatch:AllowedNetworks")]
    [InlineData("http://[2002:7f00:1::]/", "Dispatch:AllowedNetworks")]
    [InlineData("http://[fe80::1%25eth0]/", "Dispatch:AllowedNetworks")]
    [InlineData("http://169.254.169.254/latest/meta-data", "Dispatch:AllowedNetworks")]
    [InlineData("http://good@169.254.169.254/", "authentication")]
    [InlineData("https://user:password@api.example.com/", "authentication")]
    [InlineData("http://localhost/", "'localhost:80'")]
    [InlineData("http://LOCALHOST./", "Dispatch:AllowedNetworks")]
    [InlineData("http://a.localhost/", "Dispatch:AllowedNetworks")]
    [InlineData("http://postgres:8080/", "'postgres:8080'")]
    [InlineData("http://metadata.google.internal/", "Dispatch:AllowedNetworks")]
    [InlineData("http://api.example.com:25/", "Port 25")]
    [InlineData("http://api.example.com:22/", "Port 22")]
    [InlineData("http://api.example.com:5432/", "Port 5432")]
    [InlineData("file:///etc/passwd", "http or https")]
    [InlineData("gopher://api.example.com/", "http or https")]
    [InlineData("ftp://api.example.com/", "http or https")]
    public void Endpoint_ThatLeadsInside_IsRefusedWithTheFix(string url, string says) =>
        Assert.Contains(says, new EndpointRules(Policy("127.0.0.1:5080")).Check(new Uri(url)), StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("64:ff9b::7f00:1")]
    public async Task Name_ThatFlipsToAnInnerAddress_IsNotDialled(string inner)
    {
        await using var canary = new RawServer(connection => connection.DrainAsync());
        var resolver = new ScriptedResolver(() => [IPAddress.Parse(inner)]);
        using var client = new TestClient(resolver: resolver, allowed: []);

        var url = $"http://flips.example:{canary.Port}/";
        Assert.Null(new EndpointRules(Policy()).Check(new Uri(url)));
        var answer = await client.PostAsync(url, "abc");

        Assert.Equal(EspAnswerKind.NotSent, answer.Kind);
        Assert.Contains("Dispatch:AllowedNetworks", answer.Detail, StringComparison.Ordinal);
        Assert.Equal((0, 1), (canary.Connections, resolver.Calls));
    }

    [Fact]
    public async Task Literal_OfAnInnerAddress_IsNotDialled()
    {
        await using var canary = new RawServer(connection => connection.DrainAsync());
        using var client = new TestClient(allowed: []);

        foreach (var host in (string[])["127.0.0.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]", "127.0.0.1."])
        {
            Assert.Equal(EspAnswerKind.NotSent, (await client.PostAsync($"http://{host}:{canary.Port}/", "abc")).Kind);
        }

        Assert.Equal(0, canary.Connections);
    }

    [Fact]
    public async Task MixedAnswers_OnlyPermittedAddressesAreDialled()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
        var resolver = new ScriptedResolver(() => [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("10.0.0.1"), IPAddress.Loopback]);
        using var client = new TestClient(resolver: resolver, allowed: [$"127.0.0.1:{server.Port}"]);

        var answer = await client.GetAsync($"http://mixed.example:{server.Port}/");

        Assert.Equal((EspAnswerKind.Answered, 1), (answer.Kind, server.Connections));
    }

    [Fact]
    public async Task DeadAddress_IsFollowedByTheNext()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
        var resolver = new ScriptedResolver(() => [IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]);
        using var client = new TestClient(resolver: resolver, allowed: ["127.0.0.0/8"]);

        Assert.Equal(EspAnswerKind.Answered, (await client.GetAsync($"http://two.example:{server.Port}/")).Kind);
    }

    [Fact]
    public async Task Name_WithoutAddress_IsNotSent()
    {
        using var client = new TestClient(resolver: new ScriptedResolver(() => throw new System.Net.Sockets.SocketException(11001)));

        var answer = await client.GetAsync("http://nowhere.example/");

        Assert.Equal((EspAnswerKind.NotSent, "socket: HostNotFound"), (answer.Kind, answer.Detail));
    }

    [Fact]
    public async Task Lookup_ThatHangs_EndsAfterTheConnectTime()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var resolver = new HangingResolver();
        using var client = new TestClient(time, resolver);

        var sending = client.GetAsync("http://slow.example/");
        await resolver.Asked.Task;
        time.Advance(TimeSpan.FromSeconds(5.1));
        var answer = await sending;

        Assert.Equal((EspAnswerKind.NotSent, "connect: time-out"), (answer.Kind, answer.Detail));
    }

    private static NetworkPolicy Policy(params string[] allowed) => new(Options.Create(new DispatchOptions { AllowedNetworks = allowed }));

    private sealed class HangingResolver : IAddressResolver
    {
        public TaskCompletionSource Asked { get; } = new();

        public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            Asked.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return [];
        }
    }
}
