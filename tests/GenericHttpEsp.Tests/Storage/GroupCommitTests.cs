using GenericHttpEsp.Storage;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Storage;

public sealed class GroupCommitTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Writes_TwoHundredConcurrent_ShareFewTransactions(string engine)
    {
        // A clock that stands still, so that a loaded machine does not end transactions by their time; the writer is held until all wait for it.
        await using var ledger = await TestLedger.CreateAsync(
            Engines.Parse(engine), server, new FakeTimeProvider(), options => options.WritersMax = 1);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var holder = ledger.Database.WriteAsync(WriteKind.Outcome, async session =>
        {
            await release.Task;
            return await session.ExecuteAsync("insert into settings (name, value) values ('holder', '1')");
        });
        var before = ledger.Database.Transactions;
        var writes = Enumerable.Range(0, 200).Select(i => Insert(ledger, $"n{i}", WriteKind.Outcome)).ToList();
        release.SetResult();

        await Task.WhenAll([holder, .. writes]);

        Assert.InRange(ledger.Database.Transactions - before, 1, 19);
        Assert.Equal(201, await Count(ledger));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Group_WithOneBadMember_FailsThatOneOnly(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server, configure: options => options.WritersMax = 1);
        var release = new TaskCompletionSource();
        var holder = ledger.Database.WriteAsync(WriteKind.Outcome, async session =>
        {
            await release.Task;
            return await session.ExecuteAsync("insert into settings (name, value) values ('holder', '1')");
        });
        var good = Enumerable.Range(0, 10).Select(i => Insert(ledger, $"g{i}", WriteKind.Outcome)).ToList();
        var bad = ledger.Database.WriteAsync(WriteKind.Outcome, session => session.ExecuteAsync("insert into settings (name, value) values ('bad', null)"));
        release.SetResult();

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => bad);
        await Task.WhenAll([holder, .. good]);
        Assert.Equal(11, await Count(ledger));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Writer_WithEveryKindWaiting_TakesTheUrgentFirst(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server, configure: options => options.WritersMax = 1);
        var release = new TaskCompletionSource();
        var holder = ledger.Database.WriteAsync(WriteKind.Import, async _ => { await release.Task; return 0; });
        var order = new List<WriteKind>();
        var waiting = Enum.GetValues<WriteKind>().Reverse()
            .Select(kind => ledger.Database.WriteAsync(kind, _ => { order.Add(kind); return Task.FromResult(0); }))
            .ToList();
        release.SetResult();

        await Task.WhenAll([holder, .. waiting]);
        Assert.Equal(Enum.GetValues<WriteKind>(), order);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Dispose_WithWritesWaiting_RunsThemFirst(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var writes = Enumerable.Range(0, 50).Select(i => Insert(ledger, $"d{i}", WriteKind.Import)).ToList();
        await ledger.Database.DisposeAsync();
        await Task.WhenAll(writes);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Set_WithSeveralWaiting_RunsThemTogetherButNoKeyTwice(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server, new FakeTimeProvider(), options => options.WritersMax = 1);
        var calls = new List<string>();
        var set = new SetWrite<string, string>(WriteKind.Claim, static item => item[0], (_, items) =>
        {
            calls.Add(string.Join(',', items));
            return Task.FromResult<IReadOnlyList<string>>([.. items.Select(static item => item.ToUpperInvariant())]);
        });
        var release = new TaskCompletionSource();
        var holder = ledger.Database.WriteAsync(WriteKind.Outcome, async _ => { await release.Task; return 0; });
        string[] items = ["a1", "b1", "c1", "a2", "d1"];
        var writes = items.Select(item => ledger.Database.WriteAsync(set, item, 1, affinity: 0)).ToList();
        release.SetResult();

        Assert.Equal(["A1", "B1", "C1", "A2", "D1"], await Task.WhenAll(writes));
        await holder;
        Assert.Equal(["a1,b1,c1", "a2,d1"], calls);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Set_WithOneBadItem_FailsThatOneOnly(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server, configure: options => options.WritersMax = 1);
        var set = new SetWrite<string, int>(WriteKind.Claim, static item => item.GetHashCode(StringComparison.Ordinal), static async (session, items) =>
        {
            foreach (var item in items)
            {
                await session.ExecuteAsync("insert into settings (name, value) values (@name, @value)", ("@name", item), ("@value", item == "bad" ? null : "x"));
            }

            return new int[items.Count];
        });
        var release = new TaskCompletionSource();
        var holder = ledger.Database.WriteAsync(WriteKind.Outcome, async _ => { await release.Task; return 0; });
        var writes = new[] { "g1", "bad", "g2" }.Select(item => ledger.Database.WriteAsync(set, item, 1, affinity: 7)).ToList();
        release.SetResult();

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => writes[1]);
        await Task.WhenAll(holder, writes[0], writes[2]);
        Assert.Equal(2, await Count(ledger));
    }

    [Fact]
    public async Task Affinity_WithTwoWritesOfOneRowInBothOrders_NeverDeadlocks()
    {
        // Rows 1 and 2 belong to one lane: with lanes of their own the second pair would lock them crosswise, and PostgreSQL would end one of both after a second.
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server, configure: options => options.WritersMax = 4);
        await ledger.Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync("insert into settings (name, value) values ('1', ''), ('2', '')"));
        var running = 0;
        var most = 0;
        var writes = Enumerable.Range(0, 40).Select(i => ledger.Database.WriteAsync(
            WriteKind.Claim,
            async session =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                await session.ExecuteAsync("update settings set value = value || 'x' where name = @name", ("@name", i % 2 == 0 ? "1" : "2"));
                await session.ExecuteAsync("update settings set value = value || 'x' where name = @name", ("@name", i % 2 == 0 ? "2" : "1"));
                return Interlocked.Decrement(ref running);
            },
            1,
            affinity: 5)).ToList();

        await Task.WhenAll(writes);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task LastOfGroup_WithOthersWaiting_EndsTheTransaction()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server, new FakeTimeProvider());
        var release = new TaskCompletionSource();
        var holder = ledger.Database.WriteAsync(WriteKind.Outcome, async _ => { await release.Task; return 0; });
        var before = ledger.Database.Transactions;
        var writes = Enumerable.Range(0, 3).Select(i => ledger.Database.WriteAsync(
            WriteKind.Claim,
            session => session.ExecuteAsync("insert into settings (name, value) values (@name, 'x')", ("@name", $"b{i}")),
            LedgerDatabase.LastOfGroup,
            affinity: 0)).ToList();
        release.SetResult();

        await Task.WhenAll([holder, .. writes]);
        Assert.InRange(ledger.Database.Transactions - before, 2, 4);
    }

    private static Task<int> Insert(TestLedger ledger, string name, WriteKind kind) =>
        ledger.Database.WriteAsync(kind, session => session.ExecuteAsync("insert into settings (name, value) values (@name, 'x')", ("@name", name)));

    private static Task<long> Count(TestLedger ledger) =>
        ledger.Database.ReadAsync(async session => await session.FirstAsync("select count(*) from settings", static row => row.GetInt64(0)));
}
