using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Silos that do not hear each other, or not the database, in network namespaces.</summary>
[Collection(ClusterFire.Name)]
public sealed class NetworkFaultTests
{
    private const int Silos = 3;
    private const int Size = 50;
    private static readonly TimeSpan CutFor = TimeSpan.FromSeconds(FireSize.Of(ci: 20, full: 90));
    private static readonly TimeSpan FlapEvery = TimeSpan.FromSeconds(7);

    // Neither misses the others nor reads soon what they say of it; its row is renewed just before they would take it for cut from the database.
    private static readonly string[] Late = ["--Cluster:ProbeSeconds=60", "--Cluster:RenewalSeconds=15"];
    private static readonly TimeSpan LateMax = TimeSpan.FromSeconds(25);

    // The promises of a silo that has lost the database.
    private static readonly TimeSpan LeaseMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TakeOverMax = TimeSpan.FromSeconds(45);

    /// <summary>
    /// F19: each still reaches PostgreSQL and the ESP, so that work is done at two places; the fences let one of them send. That a partition had two
    /// activations is read from what PostgreSQL was asked: one tried to claim after a later one, at another silo, had.
    /// </summary>
    [Theory]
    [InlineData(Cut.OneIsLate)]
    [InlineData(Cut.BothWays)]
    [InlineData(Cut.OneWay)]
    [InlineData(Cut.Flapping)]
    public async Task SilosCutFromEachOther_SendNobodyTwice(Cut cut)
    {
        FireSize.SkipUnlessFull(isInCi: cut == Cut.BothWays);
        await using var network = await SiloNetwork.StartAsync(Silos);
        await using var postgres = await PostgresProcess.StartAsync(listen: $"127.0.0.1,{SiloNetwork.Host}", more: StatementLog.Settings);
        await using var bench = await ClusterBench.StartAsync(postgres, Silos, Slow, network: network, ofTheLast: cut == Cut.OneIsLate ? Late : null);
        var (campaign, people) = await SendingAsync(bench);

        var began = await FireLedger.ReadAsync(bench, campaign);
        var cutAt = TimeProvider.System.GetTimestamp();
        var ended = await LastAsync(bench, network, postgres, cut);
        var lasted = TimeProvider.System.GetElapsedTime(cutAt);
        var ends = await FireLedger.ReadAsync(bench, campaign);
        await network.HealAsync();
        var healed = TimeProvider.System.GetUtcNow();
        ended += await bench.RestartEndedAsync();
        var recovery = await bench.ResumedAsync(healed);
        await Task.WhenAll(bench.Silos.Where(static silo => !silo.IsUp).Select(static silo => silo.ListenAsync()));

        var verdict = await FireVerdict.JudgeAsync(bench, campaign, people, began.OnTheWire + ends.OnTheWire + ends.Unknown);
        // What was missed before the end of the cut may count against one of them for a while.
        ended += await bench.RestartEndedAsync();
        await bench.EndServersAsync();
        var doubles = (await StatementLog.ReadAsync(postgres)).Doubles();
        verdict.Report(
            $"F19: silos cut from each other ({cut}, {lasted.TotalSeconds:f0} s); {ended} ended themselves, {doubles.Count} claims of {doubles.DistinctBy(static one => one.Partition).Count()} partitions with two activations refused",
            1,
            recovery);
        // Who misses the others wants to declare them dead, and reads in the same table that it is dead itself: only one that does not look goes on. A busy
        // machine doubts its own probes for so long that it has stopped by then, when it next asks for the provider's changes.
        Assert.True(doubles.Count > 0 || cut != Cut.OneIsLate, "No partition had two activations: nothing was shown.");
        await FireWindow.HoldsAsync(bench, campaign);
    }

    /// <summary>F20: one silo is cut from PostgreSQL; what it cannot claim it does not send, and the others take its work over.</summary>
    [Fact]
    public async Task OneSiloCutFromPostgres_SendsNothingUnclaimed()
    {
        FireSize.SkipUnlessFull();
        await using var network = await SiloNetwork.StartAsync(Silos);
        await using var postgres = await PostgresProcess.StartAsync(listen: $"127.0.0.1,{SiloNetwork.Host}", more: StatementLog.Settings);
        await using var bench = await ClusterBench.StartAsync(postgres, Silos, Slow, network: network);
        var (campaign, people) = await SendingAsync(bench);

        var left = await FireLedger.ReadAsync(bench, campaign);
        await SiloNetwork.DropPortAsync(Silos - 1, postgres.Port);
        var gone = TimeProvider.System.GetUtcNow();
        var takenOver = await TakenOverAsync(bench, postgres, SiloNetwork.Address(Silos - 1), gone);
        var rest = gone + CutFor - TimeProvider.System.GetUtcNow();
        await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, TestContext.Current.CancellationToken);
        var ends = await FireLedger.ReadAsync(bench, campaign);
        await network.HealAsync();
        var healed = TimeProvider.System.GetUtcNow();
        var ended = await bench.RestartEndedAsync();

        var verdict = await FireVerdict.JudgeAsync(bench, campaign, people, left.OnTheWire + ends.OnTheWire + ends.Unknown);
        ended += await bench.RestartEndedAsync();
        await bench.EndServersAsync();
        var last = await LastHeadAsync(bench, postgres, SiloNetwork.Address(Silos - 1), gone, healed);
        verdict.Report($"F20: one silo cut from PostgreSQL for {CutFor.TotalSeconds:f0} s; {ended} ended themselves, its last request began {last.TotalSeconds:f1} s after the cut; seconds until the others had all its work", 1, takenOver);
        Assert.InRange(last, TimeSpan.Zero, LeaseMax);
        Assert.InRange(takenOver, TimeSpan.Zero, TakeOverMax);
        await FireWindow.HoldsAsync(bench, campaign);
    }

    private static SandboxBehaviour Slow => new() { LatencyMilliseconds = 500, LatencyJitterMilliseconds = 300 };

    private static async Task<(long Campaign, int People)> SendingAsync(ClusterBench bench)
    {
        var people = FireSize.Of(ci: 15_000, full: 50_000);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(Size, concurrency: 6);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(10);
        return (campaign, people);
    }

    /// <summary>The fault lasts. Answers how many silos ended and were started again meanwhile.</summary>
    private static async Task<int> LastAsync(ClusterBench bench, SiloNetwork network, PostgresProcess postgres, Cut cut)
    {
        if (cut != Cut.Flapping)
        {
            await CutAsync(cut);
            await (cut == Cut.OneIsLate ? DoubleAsync(postgres) : Task.Delay(CutFor, TestContext.Current.CancellationToken));
            return 0;
        }

        var (began, ended) = (TimeProvider.System.GetTimestamp(), 0);
        while (TimeProvider.System.GetElapsedTime(began) < CutFor)
        {
            await CutAsync(Cut.BothWays);
            await Task.Delay(FlapEvery, TestContext.Current.CancellationToken);
            await network.HealAsync();
            foreach (var silo in bench.Silos.Where(static silo => silo.Server.HasEnded))
            {
                ended++;
                Assert.Equal(ClusterBench.DeclaredDead, await silo.EndAsync());
                silo.Launch();
            }

            await Task.Delay(FlapEvery, TestContext.Current.CancellationToken);
        }

        return ended;
    }

    /// <summary>Waits until one partition was seen to be active at two silos; not for longer than it takes the others to declare the last one dead, and that one to read it.</summary>
    private static async Task DoubleAsync(PostgresProcess postgres)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while ((await StatementLog.ReadAsync(postgres)).Doubles().Count == 0 && TimeProvider.System.GetElapsedTime(began) < LateMax)
        {
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>One way: what those with lower numbers say is not heard by the others. One is late: it and the others do not hear each other.</summary>
    private static async Task CutAsync(Cut cut)
    {
        foreach (var (from, to) in Enumerable.Range(0, Silos).SelectMany(static from => Enumerable.Range(0, Silos).Select(to => (from, to))))
        {
            if (from != to && (cut == Cut.BothWays || (cut == Cut.OneWay && from < to) || (cut == Cut.OneIsLate && Math.Max(from, to) == Silos - 1)))
            {
                await SiloNetwork.DropAsync(from, to);
            }
        }
    }

    /// <summary>Waits until every partition that this silo claimed from last is another activation's, or done; answers how long after the cut the last one was.</summary>
    private static async Task<TimeSpan> TakenOverAsync(ClusterBench bench, PostgresProcess postgres, string host, DateTimeOffset cut)
    {
        var held = (await StatementLog.ReadAsync(postgres)).LastTries().Where(one => one.Host == host).ToDictionary(static one => one.Partition, static one => one.Epoch);
        Assert.NotEmpty(held);
        using var limit = FireDriver.Limit();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while ((await bench.ReadAsync(static session => session.QueryAsync(
            "select id, epoch from partitions where state = 'open' and cursor < last_id", static row => (Id: row.GetInt64(0), Epoch: row.GetInt64(1)))))
            .Any(partition => held.TryGetValue(partition.Id, out var epoch) && partition.Epoch <= epoch))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }

        return TimeProvider.System.GetUtcNow() - cut;
    }

    /// <summary>When the last request that this silo had claimed came to the ESP, from the cut on.</summary>
    private static async Task<TimeSpan> LastHeadAsync(ClusterBench bench, PostgresProcess postgres, string host, DateTimeOffset cut, DateTimeOffset healed)
    {
        var claims = await StatementLog.ReadAsync(postgres);
        var log = bench.Sandbox.Entries();
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.At);
        var ends = log.Where(static entry => entry.Kind == SandboxEntryKind.End).ToList();
        Assert.All(ends, end => Assert.NotNull(claims.ClaimedBy(end.BatchKey!)));
        Assert.Contains(ends, end => claims.ClaimedBy(end.BatchKey!) == host && heads[end.Request] < cut);
        return ends.Where(end => claims.ClaimedBy(end.BatchKey!) == host).Select(end => heads[end.Request])
            .Where(at => at > cut && at < healed).Select(at => at - cut).DefaultIfEmpty().Max();
    }

    /// <summary>Who does not hear whom.</summary>
    public enum Cut
    {
        /// <summary>Nobody hears anybody.</summary>
        BothWays,

        /// <summary>Half of them do not hear the other half, which hears them.</summary>
        OneWay,

        /// <summary>Cut and whole by turns.</summary>
        Flapping,

        /// <summary>The last one is cut off, declared dead, and does not learn of it for long.</summary>
        OneIsLate,
    }
}
