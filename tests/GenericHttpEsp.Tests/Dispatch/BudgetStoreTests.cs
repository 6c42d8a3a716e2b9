using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class BudgetStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Grants_OfManyAtOnce_StayWithinEverySecondsLimit(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new BudgetStore(ledger.Database, SiloName.Draw());
        var limits = new BudgetLimits(10, 1000, null);

        var grants = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => store.GrantAsync(7, 1, 300, limits, CancellationToken.None))));

        var rows = await RowsAsync(ledger);
        Assert.All(rows, row => Assert.InRange(row.Requests, 0, 10));
        Assert.All(rows, row => Assert.InRange(row.Messages, 0, 1000));
        Assert.Equal(rows.Sum(row => row.Requests), grants.Sum(grant => (long)grant.Requests));
        Assert.Equal(rows.Sum(row => row.Messages), grants.Sum(grant => (long)grant.Messages));
        Assert.Contains(grants, grant => grant is { Requests: 1, Messages: 300 });
        Assert.Contains(grants, grant => grant is { Requests: 0, Messages: 0 });
        Assert.All(grants, grant => Assert.InRange(grant.MillisecondsLeft, 0, 1000));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Grant_WithoutLimitOfOneKind_GivesAllOfIt(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);

        var grant = await new BudgetStore(ledger.Database, SiloName.Draw()).GrantAsync(7, 5, 300, new BudgetLimits(3, null, null), CancellationToken.None);

        Assert.Equal((3, 300), (grant.Requests, grant.Messages));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OldSeconds_AreRemovedOfThisProviderOnly(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await ledger.Database.WriteAsync(GenericHttpEsp.Storage.WriteKind.Claim, async session =>
        {
            for (var second = 1; second <= 120; second++)
            {
                await session.ExecuteAsync("insert into budgets (provider_id, second, requests, messages) values (7, @second, 1, 1)", ("@second", (long)second));
            }

            return await session.ExecuteAsync("insert into budgets (provider_id, second, requests, messages) values (8, 1, 1, 1)");
        });
        var store = new BudgetStore(ledger.Database, SiloName.Draw());

        await store.GrantAsync(7, 1, 1, new BudgetLimits(10, 10, null), CancellationToken.None);
        var rows = await RowsAsync(ledger);

        Assert.Equal(20 + 1 + 1, rows.Count);
        Assert.Single(rows, row => row.Provider == 8);
    }

    [Theory]
    [InlineData(10, 10, 10)]
    [InlineData(0.5, 0, 1)]
    [InlineData(2.5, 2, 3)]
    [InlineData(0.1, 0, 1)]
    public void Quota_OfAFractionalLimit_FollowsItInTheSum(double limit, long least, long most)
    {
        var quotas = Enumerable.Range(0, 1000).Select(i => BudgetShares.Quota(limit, 1_795_000_000L + i)).ToList();

        Assert.Equal((least, most), (quotas.Min(), quotas.Max()));
        Assert.InRange(quotas.Sum(), (limit * 1000) - 1, (limit * 1000) + 1);
    }

    private static Task<List<(long Provider, long Requests, long Messages)>> RowsAsync(TestLedger ledger) =>
        ledger.Database.ReadAsync(session => session.QueryAsync(
            "select provider_id, requests, messages from budgets limit 1000",
            static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))));
}
