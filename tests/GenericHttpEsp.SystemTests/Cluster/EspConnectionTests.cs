using System.Net;
using System.Net.Sockets;
using GenericHttpEsp.SystemTests.Fire;
using GenericHttpEsp.Wiring;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Connections that never come about, and connections that break.</summary>
[Collection(EspFire.Name)]
public sealed class EspConnectionTests(EspFaultCluster cluster)
{
    private const int Size = 5;
    private const int Concurrency = 6;
    private const string NotSent = "select count(*) from batches where campaign_id = @campaign and answer like 'not sent: ";

    private ClusterBench Bench => cluster.Bench;

    /// <summary>F13: nobody listens; then somebody does.</summary>
    [Fact]
    public async Task ClosedPort_IsNotSent_AndEverybodyIsSentOnceWhenItOpens()
    {
        var people = FireSize.Of(ci: 200, full: 2000);
        var port = FreePort.Take();
        var campaign = await cluster.SendAsync("f13", people, Size, Concurrency, $"http://127.0.0.1:{port}/send");
        var refused = await cluster.UntilAsync($"{NotSent}socket: ConnectionRefused'", campaign, static rows => rows >= EspFaultCluster.BreakerFailures);
        await using var esp = new HarshEsp(static _ => HarshActs.Ok, port);
        var healed = TimeProvider.System.GetUtcNow();

        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, 0, "f13", esp.Log);

        await esp.HoldsAsync(Bench, campaign);
        verdict.Report($"F13: closed port, {refused} requests not sent", 1, esp.Requests[0].Arrived - healed);
    }

    /// <summary>F13: a name that leads nowhere.</summary>
    [Fact]
    public async Task UnresolvableName_IsNotSent()
    {
        const int People = 50;
        var campaign = await cluster.SendAsync("f13name", People, Size, Concurrency, "http://nowhere.invalid/send");
        var failed = await cluster.UntilAsync($"{NotSent}socket: %'", campaign, static rows => rows >= 5);
        await cluster.AllWaitAsync(campaign, People);
        await cluster.StopAsync(campaign);

        (await FireVerdict.JudgeAsync(Bench, campaign, People, 0, "f13name", static () => [], "stopped")).Report($"F13: unresolvable name, {failed} requests not sent", 1, TimeSpan.Zero);
    }

    /// <summary>F13: connections are neither taken nor refused; then they are taken.</summary>
    [Fact]
    public async Task Blackhole_IsNotSent_AndLeftAlone()
    {
        var people = FireSize.Of(ci: 150, full: 500);
        const string Claims = "select count(*) from batches where campaign_id = @campaign and claimed_at is not null";
        var lasts = TimeSpan.FromSeconds(FireSize.Of(ci: 8, full: 30));
        var hole = new Blackhole();
        var began = TimeProvider.System.GetUtcNow();
        long campaign;
        double share;
        long claims;
        using (hole)
        {
            campaign = await cluster.SendAsync("f13hole", people, Size, Concurrency, $"http://127.0.0.1:{hole.Port}/send");
            await Task.Delay(lasts, TestContext.Current.CancellationToken);
            share = await cluster.Beside.ShareAsync(began);
            claims = await cluster.NumberAsync(Claims, campaign);
        }

        // What fills the breakers, what is on the wire beside it, and a probe in each pause: not as many as the windows that go by.
        Assert.InRange(claims, 1, EspFaultCluster.BreakerFailures + Concurrency - 1 + (long)(lasts / EspFaultCluster.BreakerPause) + 1);
        await using var esp = new HarshEsp(static _ => HarshActs.Ok, hole.Port);
        var healed = TimeProvider.System.GetUtcNow();
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, 0, "f13hole", esp.Log);

        await esp.HoldsAsync(Bench, campaign);
        Assert.InRange(share, BesideCampaign.ShareMin, double.MaxValue);
        verdict.Report($"F13: blackhole for {lasts.TotalSeconds:f0} s, {claims} claims; others at {share:p0}", 1, esp.Requests[0].Arrived - healed);
    }

    /// <summary>F16: whatever befalls a connection, nobody sends again but the ledger; every broken one has whole ones beside it, over kept connections.</summary>
    [Fact]
    public async Task BrokenConnections_AreNeverReplayed()
    {
        var people = FireSize.Of(ci: 420, full: 4200);
        HarshAct[] acts =
        [
            HarshActs.HalfClose, HarshActs.ResetInRequest, HarshActs.ResetAfterBody, HarshActs.ResetInStatus, HarshActs.CutInAnswer, HarshActs.EmptyReply, HarshActs.CloseKept,
        ];
        await using var esp = new HarshEsp(request => request.Number % 3 == 0 ? acts[request.Number / 3 % acts.Length] : HarshActs.Ok);
        var began = TimeProvider.System.GetUtcNow();
        var campaign = await cluster.SendAsync("f16", people, Size, Concurrency, esp.Endpoint);
        await Bench.EndAsync(campaign);

        var played = esp.Requests.CountBy(static request => request.Act).ToDictionary();
        // A request that goes out over a kept connection while it is closed is lost on the way, and nobody can know.
        HarshAct[] uncertain = [HarshActs.HalfClose, HarshActs.ResetInRequest, HarshActs.ResetAfterBody, HarshActs.ResetInStatus, HarshActs.EmptyReply, HarshActs.CloseKept];
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, Size * uncertain.Sum(played.GetValueOrDefault), "f16", esp.Log);

        Assert.All(acts, act => Assert.True(played.GetValueOrDefault(act) > 0, act.Name));
        await esp.HoldsAsync(Bench, campaign);
        verdict.Report(
            $"F16: {string.Join(", ", acts.Select(act => $"{act.Name} {played[act]}"))} of {esp.Requests.Count} requests", played.Where(pair => acts.Contains(pair.Key)).Sum(static pair => pair.Value), TimeProvider.System.GetUtcNow() - began);
    }

    /// <summary>A socket whose queue is full: Linux drops what would open another connection, as a firewall does. Takes no root.</summary>
    private sealed class Blackhole : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _queued = [];

        public Blackhole()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
            Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
            for (var full = false; !full;)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                _queued.Add(socket);
                full = !socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port)).Wait(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
            }
        }

        public int Port { get; }

        public void Dispose()
        {
            _queued.ForEach(static socket => socket.Dispose());
            _listener.Dispose();
        }
    }
}
