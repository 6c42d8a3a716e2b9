using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

/// <summary>A running sandbox with a client; what the sandbox tests share.</summary>
public abstract class SandboxTest : IAsyncLifetime
{
    private readonly List<SandboxHost> _hosts = [];
    private readonly HttpClient _client = new();

    /// <summary>What never comes fails the test instead of hanging the run.</summary>
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

    protected CancellationToken Cancel => _patience.Token;

    protected HttpClient Client => _client;

    protected SandboxHost Host => _hosts[0];

    public async ValueTask InitializeAsync() => await StartAsync(new SandboxOptions());

    public virtual async ValueTask DisposeAsync()
    {
        _client.Dispose();
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        _patience.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Another sandbox, with options of its own.</summary>
    protected async Task<SandboxHost> StartAsync(SandboxOptions options, TimeProvider? time = null)
    {
        var host = await SandboxHost.StartAsync(options, time ?? TimeProvider.System, Cancel);
        _hosts.Add(host);
        return host;
    }

    protected static string Meta(string address, int recipient = 1) => $"{address}|1568798080|7|20241104|0|wzrk_default|{recipient}|kAAAAAAAAAAAAAAAAAAAAAA";

    protected static string Batch(params string[] addresses) =>
        $$"""{"msgs":[{{string.Join(',', addresses.Select(one => $$"""{"to":"{{one}}","mid":"{{Meta(one)}}"}"""))}}]}""";

    protected Task<HttpResponseMessage> PostAsync(string body, SandboxHost? host = null, string type = "application/json") =>
        PostAsync(Encoding.UTF8.GetBytes(body), host, type);

    protected async Task<HttpResponseMessage> PostAsync(byte[] body, SandboxHost? host = null, string type = "application/json")
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        return await _client.PostAsync(new Uri((host ?? Host).Address, "/send"), content, Cancel);
    }

    protected Task<SandboxEntry> EntryAsync(SandboxEntryKind kind, long request, SandboxHost? host = null) =>
        (host ?? Host).WaitForEntryAsync(entry => entry.Kind == kind && entry.Request == request, Cancel);

    /// <summary>A connection on which a test decides when each byte goes out.</summary>
    protected async Task<(TcpClient Connection, NetworkStream Stream)> ConnectAsync(SandboxHost host)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync(host.Address.Host, host.Address.Port, Cancel);
        return (connection, connection.GetStream());
    }

    protected static byte[] Head(int contentLength, string more = "") => Encoding.ASCII.GetBytes(
        $"POST /send HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\nContent-Length: {contentLength}\r\n{more}\r\n");
}
