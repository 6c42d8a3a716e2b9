using System.Globalization;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>A silo more in the middle of a large campaign: whoever adds one wants it to send.</summary>
[Collection(ClusterFire.Name)]
public sealed class JoinTests
{
    private const int Silos = 3;

    // A lane each, so every silo renders all that it has and none waits for its turn.
    private const int Partitions = Lanes.Count;

    [Fact]
    public async Task Silo_ThatJoinsACampaign_SendsItsShareOfTheRest()
    {
        var people = FireSize.Of(ci: 6000, full: 200_000);
        await using var postgres = await PostgresProcess.StartAsync(more: StatementLog.SettingsByName);
        await using var bench = await ClusterBench.StartAsync(
            postgres, silos: Silos - 1, later: 1, behaviour: new SandboxBehaviour { LatencyMilliseconds = 250, LatencyJitterMilliseconds = 100 });
        await bench.ImportAsync(people, Partitions);
        var campaign = await bench.CampaignAsync(size: FireSize.Of(ci: 10, full: 100), concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(6);

        await bench.StartAllAsync();
        var joined = TimeProvider.System.GetUtcNow();
        await MovedAsync(bench, postgres);
        var moved = TimeProvider.System.GetUtcNow();
        Assert.Equal("running", await bench.StatusAsync(campaign));
        bench.Sandbox.Behaviour = new SandboxBehaviour { LatencyMilliseconds = FireSize.Of(ci: 20, full: 250) };
        var verdict = await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0);

        var log = await StatementLog.ReadAsync(postgres);
        var rest = log.Tries.Where(one => one.At > moved).CountBy(static one => one.Host).ToDictionary();
        var share = (double)rest.GetValueOrDefault(ClusterBench.NameOf(Silos - 1)) / rest.Values.Sum();
        Assert.True(rest.Values.Sum() >= 60, "The campaign was over too soon.");
        // Two or three lanes of eight.
        Assert.InRange(share, 0.15, 0.6);
        Assert.Empty(log.Doubles());
        var (lane, all) = (Standstill(log), Silence(bench.Sandbox.Entries(), joined, moved));
        verdict.Report(
            string.Create(CultureInfo.InvariantCulture, $"a silo joins, all share {(moved - joined).TotalSeconds:f1} s later; it claims {share:p0} of the rest; a lane stands still for {lane.TotalSeconds:f2} s at most; seconds without a new request"),
            1,
            all);
        if (FireSize.IsFull)
        {
            Assert.InRange(all, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Waits until every partition that has something left was last claimed from where the three silos' rule wants it.</summary>
    private static async Task MovedAsync(ClusterBench bench, PostgresProcess postgres)
    {
        var turns = bench.Silos.Index().OrderBy(static silo => silo.Item.SiloPort).Select(static silo => ClusterBench.NameOf(silo.Index)).ToList();
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            var open = await bench.ReadAsync(static session => session.QueryAsync(
                "select id from partitions where state = 'open' and cursor < last_id", static row => row.GetInt64(0)));
            Assert.NotEmpty(open);
            var last = (await StatementLog.ReadAsync(postgres)).LastTries().ToDictionary(static one => one.Partition, static one => one.Host);
            if (open.All(partition => last.GetValueOrDefault(partition) == turns[(int)(partition % Lanes.Count % Silos)]))
            {
                return;
            }

            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The longest time between the last claim of a partition at one silo and the first at the next.</summary>
    private static TimeSpan Standstill(StatementLog log) => log.Tries.GroupBy(static one => one.Partition)
        .SelectMany(static partition =>
        {
            var tries = partition.OrderBy(static one => one.At).ToList();
            return tries.Zip(tries.Skip(1)).Where(static pair => pair.First.Host != pair.Second.Host).Select(static pair => pair.Second.At - pair.First.At);
        })
        .DefaultIfEmpty().Max();

    /// <summary>The longest time in which no request of the whole campaign began.</summary>
    private static TimeSpan Silence(IReadOnlyList<SandboxEntry> log, DateTimeOffset from, DateTimeOffset to)
    {
        var heads = log.Where(entry => entry.Kind == SandboxEntryKind.Head && entry.At >= from && entry.At <= to).Select(static entry => entry.At).ToList();
        return heads.Zip(heads.Skip(1), static (one, next) => next - one).DefaultIfEmpty().Max();
    }
}
