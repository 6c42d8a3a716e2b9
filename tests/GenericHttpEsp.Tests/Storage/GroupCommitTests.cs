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

    private static Task<int> Insert(TestLedger ledger, string name, WriteKind kind) =>
        ledger.Database.WriteAsync(kind, session => session.ExecuteAsync("insert into settings (name, value) values (@name, 'x')", ("@name", name)));

    private static Task<long> Count(TestLedger ledger) =>
        ledger.Database.ReadAsync(async session => await session.FirstAsync("select count(*) from settings", static row => row.GetInt64(0)));
}
