using System.Net;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>F8: under the running silos PostgreSQL is replaced by an older state of itself.</summary>
[Collection(ClusterFire.Name)]
public sealed class WentBackTests
{
    private const int Size = 50;
    private const int Concurrency = 6;
    private static readonly TimeSpan SentOn = TimeSpan.FromSeconds(5);

    // A request whose claim the backup has may come this much later: the send window, and the way to the log of a busy sandbox.
    private static readonly TimeSpan ClaimToHead = TimeSpan.FromMilliseconds(900);

    /// <summary>
    /// It has forgotten what was claimed since the backup: nobody gets that again before a person says so. Then at most those are repeated who were taken by
    /// the ESP after the backup; what was on the wire when it was made is unknown and held.
    /// </summary>
    [Fact]
    public async Task RestoredUnderThem_AllWaitForAPerson_AndNobodyElseIsRepeated()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var bench = await ClusterBench.StartAsync(postgres, behaviour: new SandboxBehaviour { LatencyMilliseconds = 1500 });
        var people = FireSize.Of(ci: 3000, full: 20_000);
        await bench.ImportAsync(people, partitions: 8);
        var campaign = await bench.CampaignAsync(Size, Concurrency);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(10);
        await postgres.BackupAsync();
        var backedUp = TimeProvider.System.GetUtcNow();
        var callers = await OutageCallers.StartAsync(bench, campaign);
        await AwayAsync(SentOn);

        Assert.Equal("running", await bench.StatusAsync(campaign));
        await postgres.StopAsync();
        await bench.SettleAsync();
        await postgres.RestoreAsync();
        await postgres.RestartAsync();
        var back = TimeProvider.System.GetUtcNow();
        var stats = await bench.PausedAsync(campaign);
        var recovery = TimeProvider.System.GetUtcNow() - back;
        Assert.Contains("Restored from a backup", (string)stats["reason"]!, StringComparison.Ordinal);
        await callers.ToldAsync(HttpStatusCode.OK, since: back);
        // Nothing may come, for which there is no signal.
        await AwayAsync(TimeSpan.FromSeconds(FireSize.Of(ci: 3, full: 30)));
        Assert.DoesNotContain(bench.Sandbox.Entries(), entry => entry.Kind == SandboxEntryKind.Head && entry.At > back);
        Assert.Equal("paused", await bench.StatusAsync(campaign));
        Assert.Equal(0, FireVerdict.Of(bench.Sandbox.Entries(), await FireLedger.ReadAsync(bench, campaign), 0).Twice);

        await callers.StopAsync();
        var forgotten = await ForgottenAsync(bench, campaign);
        var bound = TakenSince(bench, backedUp - ClaimToHead);
        Assert.InRange(forgotten.Count, 1, bound);
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = 50 };
        await FireDriver.OkAsync(bench.Door.PostAsync($"/v1/campaigns/{campaign}/resume", null));
        var verdict = await EndAsync(bench, campaign, people, forgotten);
        // Nobody beyond those: the others are checked above.
        (verdict with { Twice = 0 }).Report(
            $"F8: PostgreSQL replaced by a backup under the silos, {SentOn.TotalSeconds:f0} s after it; {forgotten.Count} forgotten (at most {bound}), {verdict.Twice} of them sent again when a person resumed; seconds until all is paused",
            1,
            recovery);
    }

    /// <summary>After the resume: everybody has an outcome, and only those who were forgotten got it again, and once.</summary>
    private static async Task<FireVerdict> EndAsync(ClusterBench bench, long campaign, int people, HashSet<string> forgotten)
    {
        var stats = await bench.EndAsync(campaign);
        Assert.Equal(people, (int)stats["accepted"]! + (int)stats["unknown"]! + (int)stats["skipped"]!);
        Assert.Empty((await FireDriver.OkAsync(bench.Door.GetAsync($"/v1/campaigns/{campaign}/verify")))["problems"]!.AsArray());
        var repeated = Taken(bench).GroupBy(static address => address).Where(static one => one.Count() > 1).ToList();
        Assert.All(repeated, one => Assert.Equal(2, one.Count()));
        Assert.Subset(forgotten, repeated.Select(static one => one.Key).ToHashSet());
        var verdict = FireVerdict.Of(bench.Sandbox.Entries(), await FireLedger.ReadAsync(bench, campaign), people);
        Assert.Equal(0, verdict.Lost);
        Assert.InRange(verdict.Unknown, 0, Concurrency * Size);
        await bench.EndServersAsync();
        return verdict;
    }

    /// <summary>Whom the ESP took, while the ledger would still send to them.</summary>
    private static async Task<HashSet<string>> ForgottenAsync(ClusterBench bench, long campaign)
    {
        var outcomes = (await FireLedger.ReadAsync(bench, campaign)).Outcomes;
        return [.. Taken(bench).Where(address => outcomes.GetValueOrDefault(address) == RecordOutcome.ToCome)];
    }

    private static int TakenSince(ClusterBench bench, DateTimeOffset since)
    {
        var log = bench.Sandbox.Entries();
        var late = log.Where(entry => entry.Kind == SandboxEntryKind.Head && entry.At >= since).Select(static entry => entry.Request).ToHashSet();
        return log.Where(entry => late.Contains(entry.Request)).Sum(static entry => entry.AcceptedAddresses.Count());
    }

    private static IEnumerable<string> Taken(ClusterBench bench) => bench.Sandbox.Entries().SelectMany(static entry => entry.AcceptedAddresses);

    /// <summary>The one thing that is waited for is time.</summary>
    private static Task AwayAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
