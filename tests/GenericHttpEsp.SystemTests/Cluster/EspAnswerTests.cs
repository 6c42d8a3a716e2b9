using System.Globalization;
using System.Text.Json.Nodes;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>ESPs that take everything and answer late, slowly, endlessly, or nonsense.</summary>
[Collection(EspFire.Name)]
public sealed class EspAnswerTests(EspFaultCluster cluster)
{
    private const int Size = 5;
    private const int Concurrency = 6;
    private const int GrowthMegabytesMax = 64;
    private const long AnswerBytesMax = 1 << 20;

    // Both ends' socket buffers on loopback: written, and never read by the silo.
    private const long SocketBytes = 8 << 20;
    private static readonly TimeSpan AttemptMax = TimeSpan.FromSeconds(30);

    private static JsonObject ByRecord => new()
    {
        ["response"] = JsonNode.Parse("""{"records": {"path": "results", "matchBy": "position", "accepted": {"path": "status", "equals": "ok"}}}"""),
    };

    private ClusterBench Bench => cluster.Bench;

    /// <summary>F14: it has everything and says nothing. Held, unless the provider's keys let it be asked again.</summary>
    [Fact]
    public Task SleepAfterTheBody_IsUnknown_AndThePolicyDecides() => Task.WhenAll(SleepAsync("hold"), SleepAsync("retry"));

    /// <summary>F15: a byte a second, in the head or in the body.</summary>
    [Fact]
    public async Task SlowLoris_EndsWithTheAttempt_AndHoldsNobodyElseUp()
    {
        var people = FireSize.Of(ci: 150, full: 500);
        await using var esp = new HarshEsp(static request => request.Number > 12 ? HarshActs.Ok : request.Number % 2 == 0 ? HarshActs.SlowHead : HarshActs.SlowBody);
        var began = TimeProvider.System.GetUtcNow();
        var campaign = await cluster.SendAsync("f15", people, Size, Concurrency, esp.Endpoint);
        await Bench.EndAsync(campaign);
        var share = await cluster.Beside.ShareAsync(began);

        var slow = esp.Requests.Where(static request => request.Act != HarshActs.Ok).ToList();
        var unknown = slow.Where(static request => request.Act == HarshActs.SlowHead).Sum(static request => request.Addresses.Count);
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, unknown, "f15", esp.Log);
        await esp.HoldsAsync(Bench, campaign);
        var longest = slow.Max(static request => request.Ended!.Value - request.Arrived);
        Assert.InRange(longest, EspFaultCluster.AttemptTimeout, AttemptMax);
        Assert.InRange(esp.OpenMost, 1, Concurrency + EspFaultCluster.Silos);
        Assert.InRange(share, BesideCampaign.ShareMin, double.MaxValue);
        verdict.Report($"F15: {slow.Count} slow answers, {esp.OpenMost} connections at most; others at {share:p0}", slow.Count, longest);
    }

    /// <summary>F17: nonsense under a 200: accepted by the status, unknown where the provider's answers are read record by record. Never more than a megabyte of it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Garbage_HasADocumentedOutcome_AndCostsNoMemory(bool byRecord)
    {
        var people = FireSize.Of(ci: 300, full: 3000);
        HarshAct[] garbage = [HarshActs.Html, HarshActs.TruncatedJson, HarshActs.Endless, HarshActs.GzipBomb, HarshActs.LargeHead, HarshActs.InformationalFlood];
        var acts = garbage.Select(act => byRecord ? act with { Expected = RecordOutcome.Unknown } : act).ToArray();
        await using var esp = new HarshEsp(request => request.Number % 2 == 0 ? acts[request.Number / 2 % acts.Length] : byRecord ? Told : HarshActs.Ok);
        var resident = await Task.WhenAll(Bench.Silos.Select(static silo => silo.Server.ForgetPeakAsync(TestContext.Current.CancellationToken)));
        var began = TimeProvider.System.GetUtcNow();
        var list = $"f17{(byRecord ? "byrecord" : "")}";
        var campaign = await cluster.SendAsync(list, people, Size, Concurrency, esp.Endpoint, byRecord ? ByRecord : null);
        await Bench.EndAsync(campaign);
        var peak = await Task.WhenAll(Bench.Silos.Select(static silo => silo.Server.PeakMegabytesAsync(TestContext.Current.CancellationToken)));

        var unknown = esp.Requests.Where(static request => request.Act.Expected == RecordOutcome.Unknown).Sum(static request => request.Addresses.Count);
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, unknown, list, esp.Log);
        await esp.HoldsAsync(Bench, campaign);
        Assert.Equal(unknown, verdict.Unknown);
        Assert.All(acts, act => Assert.Contains(esp.Requests, request => request.Act == act));
        var most = esp.Requests.Max(static request => request.AnswerBytes);
        Assert.InRange(most, AnswerBytesMax, AnswerBytesMax + SocketBytes);
        var growth = peak.Zip(resident, static (peak, before) => peak - before).Max();
        Assert.InRange(growth, 0, GrowthMegabytesMax);
        verdict.Report(
            string.Create(CultureInfo.InvariantCulture, $"F17: {string.Join(", ", acts.Select(static act => act.Name))}{(byRecord ? "; read record by record" : "")}; at most {most / 1048576d:f1} MB of an answer left the ESP, a silo grew by {growth} MB"),
            esp.Requests.Count(request => acts.Contains(request.Act)),
            TimeProvider.System.GetUtcNow() - began);
    }

    private async Task SleepAsync(string policy)
    {
        var people = FireSize.Of(ci: 150, full: 1500);
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        var honour = new HarshAct("200", async request =>
        {
            // It honours keys: nobody is taken again under one that it has.
            if (seen.TryAdd(request.Key!, true))
            {
                request.Take();
            }

            await request.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
            return true;
        });
        var sleep = HarshActs.Sleep with
        {
            Expected = policy == "hold" ? RecordOutcome.Unknown : null,
            Play = request =>
            {
                seen.TryAdd(request.Key!, true);
                return HarshActs.Sleep.Play(request);
            },
        };
        await using var esp = new HarshEsp(request => request.Number is 3 or 8 or 13 or 18 ? sleep : honour);
        var more = FireDriver.OnUnknown(policy);
        var campaign = await cluster.SendAsync($"f14{policy}", people, Size, Concurrency, esp.Endpoint, more);
        var stats = await Bench.EndAsync(campaign);

        var slept = esp.Requests.Where(request => request.Act == sleep).ToList();
        Assert.Equal(4, slept.Count);
        var unknown = policy == "hold" ? slept.Sum(static request => request.Addresses.Count) : 0;
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, unknown, $"f14{policy}", esp.Log);
        Assert.Equal(unknown, (int)stats["unknown"]!);
        await esp.HoldsAsync(Bench, campaign);
        Assert.All(slept, request => Assert.Equal(policy == "hold" ? 1 : 2, esp.Requests.Count(other => other.Key == request.Key)));
        var longest = slept.Max(static request => request.Ended!.Value - request.Arrived);
        Assert.InRange(longest, TimeSpan.Zero, AttemptMax);
        verdict.Report($"F14: sleeps after the body, {policy}", slept.Count, longest);
    }

    private static HarshAct Told { get; } = new("200 by record", static async request =>
    {
        request.Take();
        var body = $"{{\"results\":[{string.Join(',', request.Addresses.Select(static _ => """{"status":"ok"}"""))}]}}";
        await request.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        return true;
    })
    { Expected = RecordOutcome.Accepted };
}
