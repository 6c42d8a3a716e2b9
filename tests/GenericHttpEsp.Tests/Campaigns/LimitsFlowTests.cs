using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class LimitsFlowTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Two silos whose lines do not move under the old limits: nothing but the news itself can wake them.</summary>
    [Fact]
    public async Task LimitsRaised_WakeTheLinesOfAllSilos()
    {
        await using var pair = await SiloPair.StartAsync(server);
        var bench = pair.Bench;
        await bench.ImportAsync(40);
        var provider = await bench.ProviderAsync(10, Limits(0.001));
        var campaigns = await pair.StartUntilAsync(provider, silo => IsWaiting(silo, provider));

        var stored = (await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/providers/{provider}", Stop))).AsObject();
        stored["limits"] = Limits(1000)["limits"]!.DeepClone();
        foreach (var answered in new[] { "id", "callbackUrl", "warnings", "version", "status", "revision", "createdAt", "updatedAt" })
        {
            stored.Remove(answered);
        }

        var since = TimeProvider.System.GetTimestamp();
        await CampaignBench.OkAsync(bench.Client.PutAsJsonAsync($"/v1/providers/{provider}", stored, Stop));
        Assert.True(await SiloPair.UntilAsync(() => !pair.Silos.Any(silo => IsWaiting(silo, provider)), CampaignBench.Patience, Stop), "New limits wake nobody.");
        var waited = TimeProvider.System.GetElapsedTime(since);
        TestContext.Current.TestOutputHelper?.WriteLine($"New limits were in force everywhere after {waited.TotalSeconds:f2} s");
        Assert.InRange(waited, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        foreach (var campaign in campaigns)
        {
            Assert.Equal(40, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        }
    }

    [Fact]
    public async Task Concurrency_OfTwoSilos_IsNeverExceededAtTheEsp()
    {
        const int most = 3;
        await using var pair = await SiloPair.StartAsync(server);
        var bench = pair.Bench;
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 40 };
        await bench.ImportAsync(300);
        var provider = await bench.ProviderAsync(5, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = most } });
        var campaigns = await pair.StartUntilAsync(provider, silo => IsWaiting(silo, provider));
        foreach (var campaign in campaigns)
        {
            Assert.Equal(300, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        }

        var (running, highest) = (0, 0);
        foreach (var entry in bench.Sandbox.Entries())
        {
            running += entry.Kind switch { SandboxEntryKind.Head => 1, SandboxEntryKind.Answered or SandboxEntryKind.Aborted => -1, _ => 0 };
            highest = Math.Max(highest, running);
        }

        Assert.Equal((0, most), (running, highest));
    }

    /// <summary>Two slots: the failures of both silos open the breakers of both, and one more may have been on the wire.</summary>
    [Fact]
    public async Task Failures_OfTwoSilos_FillOneCount()
    {
        const int slots = 2;
        var options = new DispatchOptions();
        await using var pair = await SiloPair.StartAsync(server);
        var bench = pair.Bench;
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 20, ServerErrorShare = 1, ServerErrorStatus = 503, RetryAfterSeconds = 1 };
        await bench.ImportAsync(200);
        var provider = await bench.ProviderAsync(2, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = slots } });
        var campaigns = await pair.StartUntilAsync(provider, silo => IsBroken(silo, provider));

        var failures = bench.Sandbox.Entries().Where(static entry => entry is { Kind: SandboxEntryKind.End, Status: 503 }).ToList();
        var pauses = (int)((failures[^1].At - failures[0].At) / options.BreakerPause);
        Assert.InRange(failures.Count, options.BreakerFailures, options.BreakerFailures + slots - 1 + pauses);
        bench.Sandbox.Behaviour = new SandboxBehaviour();
        foreach (var campaign in campaigns)
        {
            Assert.Equal(200, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        }
    }

    /// <summary>An ESP that is down is looked at once in a pause, however many silos wait for it.</summary>
    [Fact]
    public async Task Probes_OfTwoSilos_AreOneInAPause()
    {
        await using var pair = await SiloPair.StartAsync(server, "--Dispatch:BreakerPauseSeconds=1");
        var bench = pair.Bench;
        bench.Sandbox.Behaviour = new SandboxBehaviour { ServerErrorShare = 1, ServerErrorStatus = 503, RetryAfterSeconds = 1 };
        await bench.ImportAsync(100);
        var provider = await bench.ProviderAsync(2);
        var campaigns = await pair.StartUntilAsync(provider, silo => IsBroken(silo, provider));
        // What was on its way when the second breaker opened has arrived.
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);
        var last = bench.Sandbox.Entries()[^1].Sequence;
        await Task.Delay(TimeSpan.FromSeconds(6), Stop);

        var probes = bench.Sandbox.Entries(last).Count(static entry => entry.Kind == SandboxEntryKind.Head);
        Assert.InRange(probes, 2, 7);
        bench.Sandbox.Behaviour = new SandboxBehaviour();
        foreach (var campaign in campaigns)
        {
            Assert.Equal(100, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        }
    }

    /// <summary>Leases that lapse at once, and a long way from the claim to the request: what was taken under an old lease is not sent, and comes later.</summary>
    [Fact]
    public async Task LapsedLease_SendsNothing_AndNobodyIsLost()
    {
        var stretches = 30;
        await using var bench = await CampaignBench.StartAsync("PostgreSql", server, configure: builder =>
        {
            builder.Services.AddSingleton(static provider => new SlotStore(provider.GetRequiredService<LedgerDatabase>(), SiloName.Draw(), TimeSpan.FromMilliseconds(1)));
            builder.Services.AddSingleton<IBatchLedger>(provider => new StretchedLedger(
                ActivatorUtilities.CreateInstance<BatchLedger>(provider), _ => Task.Delay(Interlocked.Decrement(ref stretches) > 0 ? 300 : 0)));
        });
        await bench.ImportAsync(400);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(5, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 4 } }));
        await bench.ActAsync(campaign, "start");

        Assert.Equal(400, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        await bench.HoldsAsync(campaign);
        var lapsed = await bench.Application.Services.GetRequiredService<LedgerDatabase>().ReadAsync(static session => session.FirstAsync(
            "select count(*) from batches where answer like '%lease had lapsed%'", static row => row.GetInt64(0)), Stop);
        Assert.InRange(lapsed, 1, 400);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LearntSize_OutlivesTheProcess(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(200);
        bench.Sandbox.Behaviour = new SandboxBehaviour { MaxBodyBytes = 30_000 };
        var provider = await bench.ProviderAsync(200);
        int before;
        do
        {
            before = TooLarge(bench);
            await SendAsync(bench, provider);
        }
        while (TooLarge(bench) > before);

        Assert.True(before > 0);
        await bench.Application.RestartAsync();
        await SendAsync(bench, provider);

        Assert.Equal(before, TooLarge(bench));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(0, 2)]
    public async Task Linger_OfNothing_SendsWhatIsThere(int? lingerMilliseconds, int requests)
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        await bench.ImportAsync(300);
        var batch = new JsonObject { ["parameter"] = "msgs", ["size"] = 1000, ["lingerMilliseconds"] = lingerMilliseconds };
        var provider = await bench.ProviderAsync(more: new JsonObject { ["batch"] = batch });
        // Several pages of rendered messages.
        var campaign = await bench.CampaignAsync(provider, new JsonObject { ["html"] = $"<p>{new string('x', 10_000)}</p>" });
        await bench.ActAsync(campaign, "start");

        Assert.Equal(300, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        var heads = bench.Sandbox.Entries().Count(static entry => entry.Kind == SandboxEntryKind.Head);
        Assert.InRange(heads, requests, lingerMilliseconds is null ? 1 : 10);
        await bench.HoldsAsync(campaign);
    }

    private static async Task SendAsync(CampaignBench bench, long provider)
    {
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        Assert.Equal(200, (long)(await bench.WatchAsync(campaign))["accepted"]!);
    }

    private static int TooLarge(CampaignBench bench) => bench.Sandbox.Entries().Count(static entry => entry.Status == 413 && entry.Kind == SandboxEntryKind.End);

    private static bool IsBroken(TestApplication application, long provider) =>
        application.Services.GetRequiredService<ProviderDesks>().Find(provider)?.Policy.IsClosed == false;

    private static bool IsWaiting(TestApplication application, long provider) =>
        application.Services.GetRequiredService<ProviderDesks>().Find(provider)?.Budget.HasWaiting == true;

    private static JsonObject Limits(double requestsPerSecond) => new() { ["limits"] = new JsonObject { ["requestsPerSecond"] = requestsPerSecond } };
}
