using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class ProviderBudgetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _dry = new();
    private readonly Dictionary<long, (int Requests, int Messages)> _granted = [];
    private int _leases;

    [Fact]
    public async Task Unlimited_AsksNobody()
    {
        var budget = Budget(new BudgetLimits(null, null, null));

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => budget.TakeAsync(1, 1000, CancellationToken.None).AsTask()));

        Assert.Equal(0, _leases);
    }

    [Fact]
    public async Task Requests_BeyondTheSecondsLimit_GoInTheNextSeconds()
    {
        var budget = Budget(new BudgetLimits(10, null, null));
        var taking = Enumerable.Range(0, 25).Select(_ => budget.TakeAsync(1, 500, CancellationToken.None).AsTask()).ToList();

        await _dry.Task;
        await Task.WhenAll(taking.Take(10));
        Assert.DoesNotContain(taking.Skip(10), task => task.IsCompleted);
        await AdvanceUntilAsync(Task.WhenAll(taking));

        Assert.InRange(_granted.Count, 3, 4);
        Assert.All(_granted.Values, grant => Assert.InRange(grant.Requests, 1, 10));
    }

    [Fact]
    public async Task BatchLargerThanASecondsMessages_GathersOverSeconds()
    {
        var budget = Budget(new BudgetLimits(5, 100, null));
        var large = budget.TakeAsync(1, 250, CancellationToken.None).AsTask();
        var small = budget.TakeAsync(1, 10, CancellationToken.None).AsTask();
        await _dry.Task;
        Assert.False(large.IsCompleted || small.IsCompleted);
        await AdvanceUntilAsync(large);
        Assert.InRange(_granted.Count, 3, 4);
        await AdvanceUntilAsync(small);

        Assert.All(_granted.Values, grant => Assert.InRange(grant.Messages, 1, 100));
    }

    [Fact]
    public async Task Slice_ServesSeveralSendersAndLapsesWithItsSecond()
    {
        var budget = Budget(new BudgetLimits(1000, null, null));
        for (var i = 0; i < 40; i++)
        {
            (await budget.TakeAsync(1, 1, CancellationToken.None)).Dispose();
        }

        Assert.Equal(1, _leases);
        _time.Advance(TimeSpan.FromMilliseconds(1001));
        (await budget.TakeAsync(1, 1, CancellationToken.None)).Dispose();
        Assert.Equal(2, _leases);
    }

    [Fact]
    public async Task Concurrency_IsKeptAndFreedByDisposing()
    {
        var budget = Budget(new BudgetLimits(null, null, 2));
        var first = await budget.TakeAsync(1, 1, CancellationToken.None);
        await budget.TakeAsync(1, 1, CancellationToken.None);
        var third = budget.TakeAsync(1, 1, CancellationToken.None).AsTask();
        Assert.False(third.IsCompleted);
        first.Dispose();
        first.Dispose();
        var fourth = budget.TakeAsync(1, 1, CancellationToken.None).AsTask();

        await third;
        Assert.False(fourth.IsCompleted);
        budget.Limit(new BudgetLimits(null, null, 3));
        await fourth;
    }

    [Fact]
    public async Task CancelledTurn_GivesItsSlotAndPlaceAway()
    {
        var budget = Budget(new BudgetLimits(null, 10, 1));
        using var cancel = new CancellationTokenSource();
        var large = budget.TakeAsync(1, 1000, cancel.Token).AsTask();
        var small = budget.TakeAsync(1, 1, CancellationToken.None).AsTask();
        await _dry.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await AdvanceUntilAsync(small);
    }

    [Fact]
    public async Task DatabaseThatCannotRecord_FailsWhoWaitsAndServesAgainLater()
    {
        var broken = true;
        var budget = new ProviderBudget(
            new BudgetLimits(10, null, 1),
            (requests, messages, limits, _) => broken ? throw new IOException("disk full") : LeaseAsync(requests, messages, limits),
            null,
            _time);

        await Assert.ThrowsAsync<IOException>(() => budget.TakeAsync(1, 1, CancellationToken.None).AsTask());
        broken = false;
        (await budget.TakeAsync(1, 1, CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task LimitLifted_LetsWaitingSendersGo()
    {
        var budget = Budget(new BudgetLimits(1, null, null));
        await budget.TakeAsync(1, 1, CancellationToken.None);
        var waiting = budget.TakeAsync(1, 1, CancellationToken.None).AsTask();
        await _dry.Task;
        budget.Limit(new BudgetLimits(null, null, null));

        await waiting;
    }

    [Fact]
    public async Task Campaigns_TakeTurns_HoweverManyWait()
    {
        var budget = Budget(new BudgetLimits(null, null, 1));
        var served = new List<long>();
        var held = await budget.TakeAsync(1, 1, CancellationToken.None);
        var waiting = new long[] { 1, 1, 1, 1, 2, 2, 3 }.Select(async campaign =>
        {
            using var turn = await budget.TakeAsync(campaign, 1, CancellationToken.None);
            lock (served)
            {
                served.Add(campaign);
            }
        }).ToList();
        held.Dispose();
        await Task.WhenAll(waiting);

        Assert.Equal([1, 2, 3, 1, 2, 1, 1], served);
    }

    [Fact]
    public async Task CancelledTurn_LeavesWhatItGatheredToTheNext()
    {
        var budget = Budget(new BudgetLimits(null, 100, null));
        using var cancel = new CancellationTokenSource();
        var large = budget.TakeAsync(1, 250, cancel.Token).AsTask();
        var next = budget.TakeAsync(2, 100, CancellationToken.None).AsTask();
        await _dry.Task;
        Assert.False(large.IsCompleted || next.IsCompleted);
        await cancel.CancelAsync();

        // Without another second.
        await next.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Single(_granted);
    }

    [Fact]
    public async Task UnusedTurn_LeavesWhatItGatheredToTheNext()
    {
        var budget = Budget(new BudgetLimits(null, 100, null));
        var unused = await budget.TakeAsync(1, 100, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        var next = budget.TakeAsync(2, 100, CancellationToken.None).AsTask();
        await _dry.Task;
        Assert.False(next.IsCompleted);

        unused.GiveBack();
        unused.Dispose();

        // Without another second.
        await next.WaitAsync(TimeSpan.FromSeconds(20));
    }

    // The budget sets its timers off the test's thread, so one step of the clock may come too early for it.
    private async Task AdvanceUntilAsync(Task done)
    {
        while (!done.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(done, Task.Run(static () => { }));
        }

        await done;
    }

    private ProviderBudget Budget(BudgetLimits limits) =>
        new(limits, (requests, messages, current, _) => LeaseAsync(requests, messages, current), null, _time);

    /// <summary>The store's rule on the fake clock.</summary>
    private Task<BudgetGrant> LeaseAsync(int requests, int messages, BudgetLimits limits)
    {
        Interlocked.Increment(ref _leases);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_granted)
        {
            var granted = _granted.GetValueOrDefault(now / 1000);
            var grant = new BudgetGrant(
                (int)Math.Min(requests, (limits.RequestsPerSecond ?? int.MaxValue) - granted.Requests),
                (int)Math.Min(messages, (limits.MessagesPerSecond ?? int.MaxValue) - granted.Messages),
                (int)(1000 - (now % 1000)),
                (int)(1000 - (now % 1000)));
            if (grant.Requests + grant.Messages > 0)
            {
                _granted[now / 1000] = (granted.Requests + grant.Requests, granted.Messages + grant.Messages);
            }

            if ((requests > 0 && grant.Requests == 0) || (messages > 0 && grant.Messages == 0))
            {
                _dry.TrySetResult();
            }

            return Task.FromResult(grant);
        }
    }
}
