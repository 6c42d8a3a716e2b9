using System.Globalization;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>One campaign to a million people (in CI, three thousand), and all that happens to silos in the middle of it.</summary>
[Collection(ClusterFire.Name)]
public sealed class MillionTests(ClusterPostgres postgres)
{
    private const int AnswerMilliseconds = 1000;
    private static readonly int Size = FireSize.Of(ci: 25, full: 1000);

    // CI: six send windows, and half of what the others believe in it for. Full: until it was declared dead.
    private static readonly TimeSpan Stopped = TimeSpan.FromSeconds(FireSize.Of(ci: 3, full: 60));

    // Answers take two; three silos, a database and the ESP share two cores.
    private static readonly int AttemptSeconds = FireSize.Of(ci: 6, full: 15);

    /// <summary>
    /// One silo is killed at 15 percent, one is stopped at 35 for a minute (in CI so shortly that the others wait for it), one is ended at 70; each comes back.
    /// With <c>retry</c> and an ESP that honours the key everybody gets it exactly once; with <c>hold</c> nobody twice, and only those listed as unknown may have
    /// got none.
    /// </summary>
    [Theory]
    [InlineData("retry")]
    [InlineData("hold")]
    public async Task KillStopAndEnd_InTheMiddle_LoseNobody(string policy)
    {
        var people = FireSize.Number("GHE_FIRE_PEOPLE") ?? FireSize.Of(ci: 3000, full: 1_000_000);
        await using var bench = await ClusterBench.StartAsync(
            await postgres.ServerAsync(), behaviour: new SandboxBehaviour { LatencyMilliseconds = AnswerMilliseconds, LatencyJitterMilliseconds = AnswerMilliseconds, HonourBatchKey = policy == "retry" },
            more: $"--Dispatch:AttemptTimeoutSeconds={AttemptSeconds}");
        await bench.ImportAsync(people, partitions: Math.Max(12, people / (8 * 4096)));
        // So that what happens in the middle does, on a fast machine too.
        var atLeast = FireSize.IsFull ? TimeSpan.FromSeconds(160) : (2 * bench.FirstStart) + Stopped + TimeSpan.FromSeconds(3);
        var provider = await bench.ProviderAsync(Size, concurrency: 24, policy, people / Size / atLeast.TotalSeconds, more: FireDriver.OnUnknown(policy));
        var campaign = await bench.CampaignAsync(provider, FireDriver.Everybody);
        var began = TimeProvider.System.GetTimestamp();
        await bench.StartCampaignAsync(campaign);

        await bench.WaitForShareAsync(people / Size * 15 / 100);
        var (hits, unknownMax) = (0, 0);
        // The first one almost always has requests on the wire; on a busy machine, where CI's campaign is sent slowly, a few may have none.
        foreach (var killed in bench.Silos.Concat(bench.Silos).TakeWhile(_ => hits == 0))
        {
            hits = await bench.KillAsync(killed);
            unknownMax += (await FireLedger.ReadAsync(bench, campaign)).OnTheWire;
            await bench.StartAllAsync();
        }

        Assert.True(hits > 0, "No kill met an open request.");

        await bench.WaitForShareAsync(people / Size * 35 / 100);
        var silo = bench.Silos[1];
        await silo.StopAsync();
        unknownMax += (await FireLedger.ReadAsync(bench, campaign)).OnTheWire;
        // The one thing that is waited for here is time.
        await Task.Delay(Stopped, TestContext.Current.CancellationToken);
        await silo.ContinueAsync();
        if (FireSize.IsFull)
        {
            Assert.Equal(ClusterBench.DeclaredDead, await silo.EndAsync());
            await bench.StartAllAsync();
        }

        await bench.WaitForShareAsync(people / Size * 70 / 100);
        Assert.Equal("running", await bench.StatusAsync(campaign));
        await bench.Silos[2].TermAsync();
        await bench.StartAllAsync();

        await bench.EndAsync(campaign);
        foreach (var line in await UnknownAsync(bench))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        }

        var verdict = await FireVerdict.HoldsAsync(bench, campaign, people, policy == "retry" ? 0 : unknownMax);
        verdict.Report($"{people} people, three silos, one SIGKILL, one SIGSTOP of {Stopped.TotalSeconds:f0} s, one SIGTERM, `{policy}`; seconds in all", 1, TimeProvider.System.GetElapsedTime(began));
        if (!FireSize.IsFull)
        {
            // A million requests' log lags behind.
            await FireWindow.HoldsAsync(bench, campaign);
        }
    }

    private static Task<List<string>> UnknownAsync(ClusterBench bench) => bench.ReadAsync(static session => session.QueryAsync(
        "select coalesce(answer, 'no answer recorded'), repeats, repeat_until is null, count(*) from batches where state = 3 group by 1, 2, 3 order by 4 desc limit 20",
        static row => string.Create(
            CultureInfo.InvariantCulture, $"unknown: {row.GetInt64(3)} batches, {row.GetString(0)}, repeated {row.GetInt32(1)} times, {(row.GetBoolean(2) ? "given up" : "waiting")}")));
}
