using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Callbacks;
using GenericHttpEsp.Tests.Campaigns;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Stats;

public sealed class EventStoreTests(PostgresServer server)
{
    private const long Date = 20261124;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Add_ReturnsOnlyNewRows_AndCountsThem(string engine)
    {
        await using var ledger = await LedgerAsync(engine);
        var rows = EventStore.Arrange([Row(1, EventType.Clicked, 5, "a"), Row(1, EventType.Clicked, 6, "a"), Row(1, EventType.Clicked, 5, "a"), Row(2, EventType.Delivered, 5, "")]);
        Assert.Equal(4, rows.Count);

        Assert.Equal(rows.Select(static row => row.Key), (await AddAsync(ledger, rows)).Order());
        Assert.Empty(await AddAsync(ledger, rows));
        Assert.Equal([new EventKey(new MessageId(Date, 7, 1, 1), EventType.Clicked, 7, EventText.Of("a").Hash)], await AddAsync(ledger, EventStore.Arrange([Row(1, EventType.Clicked, 7, "a")])));

        var counts = await ledger.Database.ReadAsync(static session => EventStore.CountsAsync(session, 7));
        Assert.Equal((1, 3, 1), (counts.Delivered, counts.Clicked, counts.ClickedUnique));
        Assert.Equal((await CallbackState.ReadAsync(ledger.Database)).Counters, await CallbackState.RecountAsync(ledger.Database));
    }

    /// <summary>Whichever statement fails, nothing of the set stays; the same set again is whole.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Add_FailingAtTheNthStatement_StoresNothing(string engine)
    {
        await using var ledger = await LedgerAsync(engine);
        EventType[] types = [EventType.Clicked, EventType.HardBounce, EventType.Delivered];
        var rows = EventStore.Arrange(Enumerable.Range(0, 9).Select(i => EventRow.Of(new MessageId(Date, 7 + (i % 2), 1, i), types[i % 3], 5, EventText.Of("x"), true, 3)));
        var left = 0;
        ledger.Database.BeforeStatement = _ => left = left == 1 ? throw new InvalidOperationException("planned") : left - 1;
        await AddAsync(ledger, rows[..2]);
        var before = await CallbackState.ReadAsync(ledger.Database);
        var failed = 0;
        for (var done = false; !done;)
        {
            left = failed + 1;
            try
            {
                await AddAsync(ledger, rows);
                done = true;
            }
            catch (InvalidOperationException planned) when (planned.Message == "planned")
            {
                left = 0;
                failed++;
                Assert.Equal(before, await CallbackState.ReadAsync(ledger.Database));
            }
        }

        left = 0;
        // Insert, merge, and the counters of two runs.
        Assert.Equal(4, failed);
        var after = await CallbackState.ReadAsync(ledger.Database);
        Assert.Equal(after.Counters, await CallbackState.RecountAsync(ledger.Database));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SignedEvent_BeforeOrAfterTheRecordIsUnknown_ProvesItOnce(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await new MonthPartitions(sample.Database).EnsureAsync("events", [Date], default);
        var batch = await sample.ClaimAllAsync();
        await ProveAsync(sample, sample.Ids[2], signed: true);
        await ProveAsync(sample, sample.Ids[3], signed: false);

        await sample.RecordAsync(batch, RecordOutcome.Unknown);

        var outcomes = await sample.OutcomesAsync(batch.Id);
        Assert.Equal([2], outcomes.Index().Where(static one => one.Item == RecordOutcome.Accepted).Select(static one => one.Index));
        await sample.HoldsAsync();
        Assert.Equal(1, await ProveAsync(sample, sample.Ids[5], signed: true));
        Assert.Equal(0, await ProveAsync(sample, sample.Ids[5], signed: true));
        foreach (var id in sample.Ids)
        {
            await ProveAsync(sample, id, signed: true);
        }

        Assert.All(await sample.OutcomesAsync(batch.Id), static outcome => Assert.Equal(RecordOutcome.Accepted, outcome));
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Retry_LeavesOutWhomAnEventProves(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await new MonthPartitions(sample.Database).EnsureAsync("events", [Date], default);
        var batch = await sample.ClaimAllAsync();
        await sample.RecordAsync(batch, RecordOutcome.Refused);
        await ProveAsync(sample, sample.Ids[4], signed: true);

        var run = await new RetryStore(sample.Database, new MonthPartitions(sample.Database)).CreateAsync(LedgerSample.Campaign, 2, (int)Date, DateTimeOffset.UnixEpoch, default);

        Assert.Equal(sample.Ids.Length - 1, run.Audience);
        Assert.Equal(RecordOutcome.Accepted, (await sample.OutcomesAsync(batch.Id))[4]);
    }

    private static EventRow Row(long recipient, EventType type, long at, string text) =>
        EventRow.Of(new MessageId(Date, 7, 1, recipient), type, at, EventText.Of(text), signed: true, providerId: 3);

    private async Task<TestLedger> LedgerAsync(string engine)
    {
        var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server, configure: static options => options.WritersMax = 1);
        await new MonthPartitions(ledger.Database).EnsureAsync("events", [Date], default);
        return ledger;
    }

    private static Task<List<EventKey>> AddAsync(TestLedger ledger, List<EventRow> rows) =>
        ledger.Database.WriteAsync(WriteKind.Event, session => EventStore.AddAsync(session, rows, 0));

    private static Task<int> ProveAsync(LedgerSample sample, long recipient, bool signed) => sample.Database.WriteAsync(WriteKind.Event, async session =>
    {
        var row = EventRow.Of(new MessageId(Date, LedgerSample.Campaign, 1, recipient), EventType.Delivered, 0, EventText.Empty, signed, 1);
        await EventStore.AddAsync(session, [row], 0);
        return signed ? await RecordProof.ProveAsync(session, LedgerSample.Campaign, 1, Date, [recipient]) : 0;
    });
}
