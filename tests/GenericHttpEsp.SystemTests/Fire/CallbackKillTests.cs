using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>A body that was acknowledged is stored, whatever ends the process; one that was not is posted again and counts once.</summary>
public sealed class CallbackKillTests
{
    private const int EachType = 4;
    private static readonly int People = EachType * FireCallbacks.TypeCount;

    [Theory]
    [InlineData(FailPoints.AfterForbidCommit, 3, false)]
    [InlineData(FailPoints.BeforeEvents, 1, false)]
    [InlineData(FailPoints.BeforeEventsCommit, 1, false)]
    [InlineData(FailPoints.AfterEventsCommit, 1, true)]
    public async Task End_InsideABody_PostedAgain_CountsOnce(string point, int pass, bool isStored)
    {
        await using var bench = await FireBench.StartAsync($"{point}:{pass}");
        var (campaign, callbacks) = await SentAsync(bench, People);
        var body = callbacks.Body(0, People);

        Assert.False(await callbacks.TryPostAsync(body), "Nobody may see 200 before everything is done.");
        await bench.CrashAsync();
        await bench.RestartAsync();

        var left = await FireEvents.ReadAsync(bench);
        Assert.Equal(isStored ? FireCallbacks.Counters(EachType) : FireCallbacks.Counters(0), left.Counters);
        Assert.InRange(left.Forbidden, point == FailPoints.AfterForbidCommit ? 3 : 3 * EachType, 3 * EachType);
        Assert.True(await callbacks.TryPostAsync(body));
        var once = await FireEvents.ReadAsync(bench);
        Assert.Equal((FireCallbacks.Counters(EachType), 3L * EachType), (once.Counters, once.Forbidden));
        Assert.Equal(People, once.Emails.Count);
        Assert.True(await callbacks.TryPostAsync(body));
        var twice = await FireEvents.ReadAsync(bench);
        Assert.Equal((once.Counters, once.Forbidden), (twice.Counters, twice.Forbidden));
        Assert.Equal(once.Rows, twice.Rows);
        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report($"fail point {point}, callback body", 1, TimeSpan.Zero);
    }

    /// <summary>At any moment, and at the worst one: a set of bodies is written and not committed.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData($"{FailPoints.BeforeEventsCommit}:40")]
    public async Task Kill_InAFlood_KeepsEveryAcknowledgedEvent(string? failPoint)
    {
        const int Bodies = 600;
        const int Senders = 8;
        const int AcknowledgedMin = 30;
        await using var bench = await FireBench.StartAsync(failPoint);
        var (campaign, callbacks) = await SentAsync(bench, Bodies);
        var acknowledged = new System.Collections.Concurrent.ConcurrentBag<int>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var next = -1;
        var senders = Enumerable.Range(0, Senders).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var body && body < Bodies && await callbacks.TryPostAsync(callbacks.Body(body, 1)))
            {
                acknowledged.Add(body);
                if (acknowledged.Count >= AcknowledgedMin)
                {
                    enough.TrySetResult();
                }
            }
        })).ToArray();
        using var limit = FireBench.Limit();
        await enough.Task.WaitAsync(limit.Token);

        await (failPoint is null ? bench.Server.SignalAsync("KILL", limit.Token) : bench.CrashAsync());
        var killed = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(senders);
        Assert.InRange(acknowledged.Count, AcknowledgedMin, Bodies - 1);
        await bench.RestartAsync();
        var recovery = TimeProvider.System.GetElapsedTime(killed);

        var stored = (await FireEvents.ReadAsync(bench)).Emails;
        Assert.DoesNotContain(acknowledged, body => !stored.Contains(callbacks.Email(body)));
        await Parallel.ForAsync(0, Bodies, async (body, _) => Assert.True(await callbacks.TryPostAsync(callbacks.Body(body, 1))));
        var once = await FireEvents.ReadAsync(bench);
        Assert.Equal((FireCallbacks.Counters(Bodies / FireCallbacks.TypeCount), Bodies / 2L), (once.Counters, once.Forbidden));
        (await FireVerdict.HoldsAsync(bench, campaign, Bodies, unknownMax: 0)).Report($"{failPoint ?? "SIGKILL"} in a callback flood", 1, recovery);
    }

    private static async Task<(long Campaign, FireCallbacks Callbacks)> SentAsync(FireBench bench, int people)
    {
        await bench.ImportAsync(people);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 4);
        await bench.StartCampaignAsync(campaign);
        await bench.EndAsync(campaign);
        return (campaign, await FireCallbacks.OfAsync(bench, campaign));
    }
}
