using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>A silo more in the middle of a large campaign: whoever adds one wants it to send.</summary>
[Collection(ClusterFire.Name)]
public sealed partial class JoinTests
{
    private const int Silos = 3;

    // A lane each, so every silo renders all that it has and none waits for its turn.
    private const int Partitions = Lanes.Count;

    [Fact]
    public async Task Silo_ThatJoinsACampaign_SendsItsShareOfTheRest()
    {
        var people = FireSize.Of(ci: 5000, full: 200_000);
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
        var silence = Silence(bench.Sandbox.Entries(), joined, moved);
        var lanes = bench.Silos.SelectMany(static silo => MovedLane().Matches(silo.Server.Output)).Select(static line => int.Parse(line.Groups["milliseconds"].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.NotEmpty(lanes);
        verdict.Report(
            string.Create(CultureInfo.InvariantCulture, $"a silo joins; {lanes.Count} lanes move, each in {lanes.Max()} ms at most; it claims {share:p0} of the rest; longest time without a new request"),
            1,
            silence);
        if (FireSize.IsFull)
        {
            Assert.InRange(silence, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Waits until every partition that has something left was last claimed from where the three silos' rule wants it.</summary>
    private static async Task MovedAsync(ClusterBench bench, PostgresProcess postgres)
    {
        var names = bench.Silos.Index().ToDictionary(static silo => silo.Item.SiloPort, static silo => ClusterBench.NameOf(silo.Index));
        var members = await bench.ReadAsync(static session => session.QueryAsync(
            "select Port, Generation from OrleansMembership where Status = 3", static row => SiloAddress.New(IPAddress.Loopback, row.GetInt32(0), row.GetInt32(1))));
        var turns = members.Order().Select(member => names[member.Endpoint.Port]).ToList();
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

    /// <summary>The longest time in which no request of the whole campaign began.</summary>
    private static TimeSpan Silence(IReadOnlyList<SandboxEntry> log, DateTimeOffset from, DateTimeOffset to)
    {
        var heads = log.Where(entry => entry.Kind == SandboxEntryKind.Head && entry.At >= from && entry.At <= to).Select(static entry => entry.At).ToList();
        return heads.Zip(heads.Skip(1), static (one, next) => next - one).DefaultIfEmpty().Max();
    }

    [GeneratedRegex("Lane [0-7] now stands where .* in (?<milliseconds>[0-9]+) ms")]
    private static partial Regex MovedLane();
}
