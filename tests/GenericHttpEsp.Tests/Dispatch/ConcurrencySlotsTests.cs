using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class ConcurrencySlotsTests(PostgresServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task TwoSilos_ShareTheLimit_NeverAboveIt()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var load = new SlotLoad(4);
        await using var first = load.Start(Budget(ledger, 4));
        await first.HasServedAsync(20);

        var since = TimeProvider.System.GetTimestamp();
        await using var second = load.Start(Budget(ledger, 4));
        await second.HasServedAsync(1);
        var waited = TimeProvider.System.GetElapsedTime(since);
        await second.HasServedAsync(20);
        var (one, two) = (first.Served, second.Served);
        await second.HasServedAsync(120);

        Assert.Equal(0, load.Over);
        Assert.InRange(waited, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.InRange((first.Served - one) / (double)(second.Served - two), 0.5, 2);

        // The other has enough: everything goes to who is left, and no request was waiting for the database.
        await second.DisposeAsync();
        load.Most = 0;
        await load.HasReachedAsync(4);
        Assert.Equal(0, load.Over);
    }

    [Fact]
    public async Task OneSlot_GoesRoundBetweenSilos()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var load = new SlotLoad(1);
        await using var first = load.Start(Budget(ledger, 1));
        await first.HasServedAsync(1);
        await using var second = load.Start(Budget(ledger, 1));
        await second.HasServedAsync(1);
        var had = first.Served;
        await first.HasServedAsync(had + 20);

        Assert.Equal(0, load.Over);
    }

    [Fact]
    public async Task LimitChangedWhileRunning_IsKeptAtOnce()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var load = new SlotLoad(6);
        var (one, two) = (Budget(ledger, 6), Budget(ledger, 6));
        await using var first = load.Start(one);
        await using var second = load.Start(two);
        await load.HasReachedAsync(5);

        one.Limit(new BudgetLimits(null, null, 2, Revision: 2));
        two.Limit(new BudgetLimits(null, null, 2, Revision: 2));
        await load.HasFallenAsync(2);
        load.Limit = 2;
        await second.HasServedAsync(second.Served + 20);
        Assert.Equal(0, load.Over);

        load.Limit = 6;
        one.Limit(new BudgetLimits(null, null, 6, Revision: 3));
        two.Limit(new BudgetLimits(null, null, 6, Revision: 3));
        await load.HasReachedAsync(5);
        Assert.Equal(0, load.Over);
    }

    [Fact]
    public async Task ManyRequests_CostFewLeases()
    {
        var leases = 0;
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var budget = Budget(ledger, 8, () => Interlocked.Increment(ref leases));
        var since = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 5000; i++)
        {
            (await budget.TakeAsync(1, 1, CancellationToken.None)).Dispose();
        }

        Assert.InRange(leases, 1, 3 + (int)(TimeProvider.System.GetElapsedTime(since).TotalMilliseconds / 150));
        await budget.CloseAsync();
    }

    [Fact]
    public async Task SiloHeldUpLongerThanItsLease_SendsNothingOfWhatItTook()
    {
        var time = new FakeTimeProvider();
        var (renewed, asked) = (new TaskCompletionSource<SlotGrant>(TaskCreationOptions.RunContinuationsAsynchronously), 0);
        var budget = new ProviderBudget(
            new BudgetLimits(null, null, 2),
            static (_, _, _, _) => throw new InvalidOperationException("no rate is limited"),
            (_, _) => Interlocked.Increment(ref asked) == 2 ? renewed.Task : Task.FromResult(new SlotGrant(2, 2, false)),
            time);
        var turn = await budget.TakeAsync(1, 1, CancellationToken.None);
        Assert.True(turn.IsGood);

        time.Advance(ConcurrencySlots.GoodFor + TimeSpan.FromMilliseconds(1));
        Assert.False(turn.IsGood);
        var next = budget.TakeAsync(1, 1, CancellationToken.None).AsTask();
        Assert.False(next.IsCompleted);
        renewed.SetResult(new SlotGrant(2, 2, true));

        Assert.True((await next.WaitAsync(Patience)).IsGood);
        Assert.False(turn.IsGood);
    }

    [Fact]
    public async Task RenewalInTime_KeepsWhatWasTaken()
    {
        var time = new FakeTimeProvider();
        var asked = new SemaphoreSlim(0);
        var budget = new ProviderBudget(
            new BudgetLimits(null, null, 1),
            static (_, _, _, _) => throw new InvalidOperationException("no rate is limited"),
            (_, _) =>
            {
                asked.Release();
                return Task.FromResult(new SlotGrant(1, 1, false));
            },
            time);
        var turn = await budget.TakeAsync(1, 1, CancellationToken.None);
        await asked.WaitAsync(Patience);
        for (var i = 0; i < 20; i++)
        {
            while (!await asked.WaitAsync(TimeSpan.FromMilliseconds(1)))
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
            }
        }

        Assert.True(turn.IsGood);
    }

    private static ProviderBudget Budget(TestLedger ledger, int concurrency, Action? leased = null)
    {
        var slots = new SlotStore(ledger.Database, SiloName.Draw(), TimeSpan.FromSeconds(30));
        return new ProviderBudget(
            new BudgetLimits(null, null, concurrency, Revision: 1),
            static (_, _, _, _) => throw new InvalidOperationException("no rate is limited"),
            (ask, cancellationToken) =>
            {
                leased?.Invoke();
                return slots.LeaseAsync(7, ask, cancellationToken);
            },
            TimeProvider.System);
    }
}
