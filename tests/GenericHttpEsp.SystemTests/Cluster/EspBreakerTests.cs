using System.Globalization;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>An ESP that is down, and comes back.</summary>
[Collection(EspFire.Name)]
public sealed class EspBreakerTests(EspFaultCluster cluster)
{
    private const int Size = 5;
    private const int Slots = 3;

    // Over the cluster: what fills the count, and what was on the wire beside the last of them.
    private const int FailuresMax = EspFaultCluster.BreakerFailures + Slots - 1;
    private const int ProbesSeen = 3;

    // Orleans places a campaign's partitions as it likes; of several campaigns some are at another silo.
    private static readonly int Campaigns = FireSize.Of(ci: 3, full: 12);

    // Between a silo's leave to probe, on the database's clock, and the request.
    private static readonly TimeSpan OnTheWay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RecoveryMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OutageMin = TimeSpan.FromSeconds(FireSize.Of(ci: 3, full: 60));
    private static readonly int[] Statuses = [500, 502, 503, 504];

    private ClusterBench Bench => cluster.Bench;

    /// <summary>F11: the failures of all silos fill one count and open every breaker; then one probe in a pause goes out, over the cluster; then all go on.</summary>
    [Fact]
    public async Task ServerErrors_OpenEveryBreaker_AndOneProbeAPauseFindsTheEspBack()
    {
        var people = FireSize.Of(ci: 200, full: 500);
        await using var esp = await DownAsync();
        var provider = await Bench.ProviderAsync(Size, Slots, "f11", endpoint: new Uri(esp.Address, "/send").ToString());
        var began = TimeProvider.System.GetUtcNow();
        var campaigns = new Dictionary<string, long>();
        for (var i = 0; i < Campaigns; i++)
        {
            campaigns[$"f11at{i}"] = await cluster.SendAsync(provider, $"f11at{i}", people, Bench.NextDoor());
        }

        await LastAsync(esp);
        var share = await cluster.Beside.ShareAsync(began);
        esp.Behaviour = new SandboxBehaviour();
        var healed = TimeProvider.System.GetUtcNow();
        await Task.WhenAll(campaigns.Values.Select(campaign => Bench.EndAsync(campaign)));

        var failures = Failures(esp);
        var (opened, gaps) = Probes(failures);
        // The first comes a pause after the opening. One that was late, and so soon before the next, is not among the gaps.
        var probesMax = (int)((failures[^1].At - failures[0].At) / EspFaultCluster.BreakerPause);
        Assert.InRange(opened, EspFaultCluster.BreakerFailures, FailuresMax + probesMax - gaps.Count);
        Assert.True(gaps.Aggregate(static (sum, gap) => sum + gap) >= (gaps.Count * EspFaultCluster.BreakerPause) - OnTheWay, string.Join(", ", gaps));
        var recovery = TimeSpan.Zero;
        foreach (var (list, campaign) in campaigns)
        {
            await JudgeAsync(esp, campaign, people, list);
            recovery = await RecoveryAsync(campaign, healed) is var took && took > recovery ? took : recovery;
        }

        Assert.InRange(recovery, TimeSpan.Zero, RecoveryMax);
        Assert.InRange(share, BesideCampaign.ShareMin, double.MaxValue);
        new FireVerdict(0, 0, 0, Unknown(failures)).Report(
            string.Create(
                CultureInfo.InvariantCulture,
                $"F11: 500, 502, 503, 504 for {(healed - failures[0].At).TotalSeconds:f0} s: {opened} failures until the breakers were open, then {gaps.Count} probes, {gaps.Min().TotalSeconds:f1} s apart at least; others at {share:p0}"),
            1,
            recovery);
    }

    private static Task<SandboxHost> DownAsync() => SandboxHost.StartAsync(
        new SandboxOptions
        {
            Behaviour = new SandboxBehaviour
            {
                LatencyMilliseconds = 20,
                Script = Enumerable.Range(1, 5000).ToDictionary(static n => n, static n => new SandboxAnswer { Action = SandboxAction.Refuse, Status = Statuses[n % Statuses.Length] }),
            },
        },
        TimeProvider.System,
        CancellationToken.None);

    private static List<SandboxEntry> Failures(SandboxHost esp) => [.. esp.Entries().Where(static entry => entry is { Kind: SandboxEntryKind.End, Status: >= 500 })];

    /// <summary>503 says that nothing was taken; the others say nothing.</summary>
    private static int Unknown(IEnumerable<SandboxEntry> failures) => failures.Where(static entry => entry.Status != 503).Sum(static entry => entry.Records!.Value);

    /// <summary>Until the outage was long enough and probes are all that comes.</summary>
    private static async Task LastAsync(SandboxHost esp)
    {
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (Failures(esp) is not [var first, .., var last] || last.At - first.At < OutageMin || Probes(Failures(esp)).Gaps.Count < ProbesSeen)
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The failures at the end that came one by one, as the gaps before them; and how many came before.</summary>
    private static (int Before, List<TimeSpan> Gaps) Probes(List<SandboxEntry> failures)
    {
        var gaps = failures.Zip(failures.Skip(1), static (one, next) => next.At - one.At).ToList();
        var alone = gaps.AsEnumerable().Reverse().TakeWhile(static gap => gap > EspFaultCluster.BreakerPause / 2).ToList();
        return (failures.Count - alone.Count, alone);
    }

    /// <summary>Until the last of the campaign's partitions that had something left has claimed again.</summary>
    private async Task<TimeSpan> RecoveryAsync(long campaign, DateTimeOffset healed) => TimeSpan.FromMilliseconds(await cluster.NumberAsync(
        $"select coalesce(max(first), 0) - {healed.ToUnixTimeMilliseconds()} from (select min(claimed_at) as first from batches where campaign_id = @campaign and claimed_at >= {healed.ToUnixTimeMilliseconds()} group by partition_id) f", campaign));

    private async Task JudgeAsync(SandboxHost esp, long campaign, int people, string list)
    {
        var unknown = Unknown(Failures(esp).Where(entry => entry.Addresses![0].EndsWith($"@{list}.com", StringComparison.Ordinal)));
        var verdict = await FireVerdict.JudgeAsync(Bench, campaign, people, unknown, list, () => esp.Entries());
        Assert.Equal(unknown, verdict.Unknown);
    }
}
