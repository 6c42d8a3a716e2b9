using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>Rates over real seconds, on the real store.</summary>
public sealed class SharedBudgetTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TwoSilos_ShareEverySecond_NeitherStarves()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var limits = new BudgetLimits(20, 1000, null);
        var (first, second) = (Budget(ledger, limits), Budget(ledger, limits));

        // The first is ahead by a second and has more senders: it must not matter.
        var one = RunAsync(first, 16, 40, TimeSpan.FromSeconds(6));
        await RowsAsync(ledger, 2);
        var two = RunAsync(second, 2, 40, TimeSpan.FromSeconds(4));
        await Task.WhenAll(one, two);

        var rows = await RowsAsync(ledger, 1);
        Assert.All(rows, static row => Assert.InRange(row.Requests, 0, 20));
        Assert.All(rows, static row => Assert.InRange(row.Messages, 0, 1000));
        // Nothing of a whole second is lost, alone or shared.
        Assert.All(rows.Skip(1).SkipLast(2), static row => Assert.Equal(20, row.Requests));
        // Half of four seconds, less what it takes a loaded machine to begin; one that starves has next to nothing.
        Assert.InRange(await two, 20, 55);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task CancelledTurns_BurnNothing(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var budget = Budget(ledger, new BudgetLimits(null, 1000, null));
        using var ending = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var (used, cancelled) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            while (!ending.IsCancellationRequested)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(1, worker == 0 ? 4000 : 400)));
                try
                {
                    (await budget.TakeAsync(worker, 400, patience.Token)).Dispose();
                    Interlocked.Add(ref used, 400);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }
        })));

        var rows = await RowsAsync(ledger, 1);
        Assert.True(cancelled > 20, $"{cancelled} cancelled");
        Assert.All(rows.Skip(1).SkipLast(1), static row => Assert.Equal(1000, row.Messages));
        // Who gathered last was cancelled with nobody to pass it on to.
        Assert.InRange(used, (0.97 * rows.Sum(static row => row.Messages)) - 400, rows.Sum(static row => row.Messages));
    }

    [Fact]
    public async Task GrantsOfManyProviders_DeadlockNever()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var stores = new[] { new BudgetStore(ledger.Database, SiloName.Draw()), new BudgetStore(ledger.Database, SiloName.Draw()) };
        await Task.WhenAll(Enumerable.Range(0, 40).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 15; i++)
            {
                await stores[worker % 2].GrantAsync(random.Next(1, 9), 1, 1, new BudgetLimits(100, 100, null), Stop);
            }
        })));

        var deadlocks = await ledger.Database.ReadAsync(async session =>
        {
            // Statistics are written when a connection has been quiet for a while, or by this.
            await session.ExecuteAsync("select pg_stat_force_next_flush()");
            return await session.FirstAsync("select deadlocks from pg_stat_database where datname = current_database() limit 1", static row => row.GetInt64(0));
        });
        Assert.Equal(0, deadlocks);
    }

    private static async Task<int> RunAsync(ProviderBudget budget, int senders, int messages, TimeSpan lasts)
    {
        using var ending = new CancellationTokenSource(lasts);
        var served = 0;
        await Task.WhenAll(Enumerable.Range(0, senders).Select(_ => Task.Run(async () =>
        {
            while (!ending.IsCancellationRequested)
            {
                (await budget.TakeAsync(1, messages, ending.Token)).Dispose();
                Interlocked.Increment(ref served);
            }
        }))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return served;
    }

    private static ProviderBudget Budget(TestLedger ledger, BudgetLimits limits)
    {
        var store = new BudgetStore(ledger.Database, SiloName.Draw());
        return new ProviderBudget(limits, (requests, messages, current, stop) => store.GrantAsync(7, requests, messages, current, stop), null, TimeProvider.System);
    }

    /// <summary>What was granted, by second; waits until so many seconds have begun.</summary>
    private static async Task<List<(long Requests, long Messages)>> RowsAsync(TestLedger ledger, int seconds)
    {
        while (true)
        {
            var rows = await ledger.Database.ReadAsync(session => session.QueryAsync(
                "select requests, messages from budgets order by second limit 100", static row => (row.GetInt64(0), row.GetInt64(1))));
            if (rows.Count >= seconds)
            {
                return rows;
            }

            await Task.Delay(20, Stop);
        }
    }
}
