using System.Net;
using System.Text;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>The real client with the real guard; only the resolver and the clock may be the test's.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly OpenClaims _claims;
    private readonly EspClient _client;
    private readonly TimeProvider _time;

    public TestClient(
        TimeProvider? time = null, IAddressResolver? resolver = null, string[]? allowed = null, int windowMilliseconds = 10_000, int attemptSeconds = 25)
    {
        _time = time ?? TimeProvider.System;
        var options = Options.Create(new DispatchOptions
        {
            AllowedNetworks = allowed ?? ["127.0.0.1"],
            SendWindowMilliseconds = windowMilliseconds,
            AttemptTimeoutSeconds = attemptSeconds,
        });
        _claims = new OpenClaims(options.Value.SendWindow, _time, clusterWide: false, _ => ValueTask.FromResult(true));
        _client = new EspClient(new GuardedHandler(resolver ?? new DnsAddressResolver(), new NetworkPolicy(options), options, _time), options, _time);
    }

    public int OpenClaims => _claims.Count;

    public SendGate Open() => _claims.Open(_time.GetTimestamp());

    public Task<EspAnswer> GetAsync(string url) => SendAsync(Get(url));

    public Task<EspAnswer> PostAsync(string url, params string[] segments) =>
        SendAsync(Post(url, [.. segments.Select(segment => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(segment))]));

    public Task<EspAnswer> PostAsync(string url, int bytes) => SendAsync(Post(url, [new byte[bytes]]));

    public async Task<EspAnswer> SendAsync(AssembledRequest request, SendGate? gate = null)
    {
        using var own = gate ?? Open();
        return await _client.SendAsync(request, own, TestContext.Current.CancellationToken);
    }

    public static AssembledRequest Get(string url) => new("GET", new Uri(url), [], [], 0);

    public static AssembledRequest Post(string url, ReadOnlyMemory<byte>[] body) => new(
        "POST",
        new Uri(url),
        [new("Content-Type", "application/json", false), new("X-Key", "k\u00e9y", true)],
        body,
        body.Sum(segment => (long)segment.Length));

    public void Dispose() => _client.Dispose();
}

/// <summary>Answers what the test says, in turn; the last answer stays.</summary>
internal sealed class ScriptedResolver(params Func<IPAddress[]>[] answers) : IAddressResolver
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var call = Interlocked.Increment(ref _calls) - 1;
        return Task.FromResult<IReadOnlyList<IPAddress>>(answers[Math.Min(call, answers.Length - 1)]());
    }
}
