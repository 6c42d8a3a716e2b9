using System.Diagnostics;
using GenericHttpEsp.Api;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Campaigns;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Storage;

public sealed class RetentionTests(PostgresServer server)
{
    private const int Days = 100;
    private static readonly DateTimeOffset Run = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 20261101)]
    [InlineData(24, 20261001)]
    [InlineData(400, 20251001)]
    public void From_IsTheFirstOfAMonth_SoThatNoDayIsLost(int days, long from) =>
        Assert.Equal(from, Of(new FakeTimeProvider(Run), new RetentionOptions { EventDays = days }).EventsFrom);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Events_GoWithTheirMonth_AndStayCounted(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var time = new FakeTimeProvider(Run);
        var partitions = new MonthPartitions(sample.Database);
        var job = new EventRetention(sample.Database, partitions, Of(time));
        long[] dates = [20261031, 20261130, 20261201];
        foreach (var date in dates)
        {
            await partitions.EnsureAsync("events", [date], default);
            var rows = EventStore.Arrange(Enumerable.Range(1, 700).Select(i => EventRow.Of(new MessageId(date, date, 1, i), EventType.Delivered, 0, EventText.Empty, true, 1)));
            await sample.Database.WriteAsync(WriteKind.Event, session => EventStore.AddAsync(session, rows, 0));
        }

        var left = new List<string>();
        foreach (var day in (DateTimeOffset[])[Run, new(2027, 2, 8, 0, 0, 0, default), new(2027, 2, 9, 0, 0, 0, default), new(2027, 3, 11, 0, 0, 0, default), new(2027, 5, 1, 0, 0, 0, default)])
        {
            time.SetUtcNow(day);
            await DrainAsync(job);
            left.Add(string.Join(' ', await sample.Database.ReadAsync(
                session => session.QueryAsync("select distinct run_date from events order by run_date", static row => row.GetInt64(0)))));
        }

        // 100 days before 9 February is 1 November: then October may go.
        Assert.Equal(["20261031 20261130 20261201", "20261031 20261130 20261201", "20261130 20261201", "20261201", ""], left);
        foreach (var date in dates)
        {
            Assert.Equal(700, (await sample.Database.ReadAsync(session => EventStore.CountsAsync(session, date))).Delivered);
        }

        Assert.Empty(await partitions.MonthsAsync("events", default));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Batches_OfAFinishedRun_Go_AndEveryReportSaysSo(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.UnsubscribeAsync(0);
        var batch = await sample.ClaimAllAsync();
        await sample.Outcomes.RecordAsync(new BatchReport(
            batch.Id, [RecordOutcome.SkippedUnsubscribed, RecordOutcome.Refused, .. Enumerable.Repeat(RecordOutcome.Accepted, 8)], [], "550"), default);
        var time = new FakeTimeProvider(Run.AddDays(Days + 31));
        var job = Batches(sample, time);
        var before = await sample.Partitions.CountsAsync(LedgerSample.Campaign, default);

        // As long as the campaign has work, and before its month is over, nothing goes.
        await sample.ExecuteAsync($"insert into campaign_work (campaign_id, due_at) values ({LedgerSample.Campaign}, 0)");
        await DrainAsync(job);
        Assert.Equal(1, await RowsAsync(sample));
        await sample.ExecuteAsync("delete from campaign_work");
        await DrainAsync(Batches(sample, new FakeTimeProvider(Run.AddDays(Days + 1))));
        Assert.Equal(1, await RowsAsync(sample));
        await DrainAsync(job);
        await DrainAsync(job);

        Assert.Equal(0, await RowsAsync(sample));
        var audit = await sample.Audit.VerifyAsync(LedgerSample.Campaign, default);
        Assert.Empty(audit.Problems);
        Assert.Equal("run 1: its batches are older than retention", Assert.Single(audit.Notes));
        Assert.Equal((10, 8, 1), (audit.Audience, audit.Counted["accepted"], audit.Counted["refused"]));
        Assert.Equivalent(before, await sample.Partitions.CountsAsync(LedgerSample.Campaign, default));
        var records = new RecordStore(sample.Database);
        var all = (await records.PageAsync(LedgerSample.Campaign, (1, 0), [], 100, default)).Items;
        Assert.Equal(10, all.Count);
        Assert.All(all, static place => Assert.Equal(("removed", "older than retention"), (RecordWords.Of(place), RecordWords.Reason(place))));
        Assert.Empty((await records.PageAsync(LedgerSample.Campaign, (1, 0), [RecordOutcome.Refused], 100, default)).Items);
        var errors = await new ErrorStore(sample.Database, sample.Partitions, Of(time)).ReadAsync(LedgerSample.Campaign, default);
        Assert.Equal(["older than retention", "unsubscribed"], errors.Groups.Select(static group => group.Reason).Order());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Batches_WithAnUnknownRecord_AreKept_UntilItIsResolved(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.RecordAsync(await sample.ClaimAllAsync(), RecordOutcome.Unknown);
        var job = Batches(sample, new FakeTimeProvider(Run.AddDays(1000)));

        await DrainAsync(job);
        Assert.Equal(1, await RowsAsync(sample));
        await sample.HoldsAsync();
        Assert.Equal(10, await sample.Unknown.ResolveAsync(LedgerSample.Campaign, null, RecordOutcome.Accepted, default));
        await DrainAsync(job);

        Assert.Equal(0, await RowsAsync(sample));
        await sample.HoldsAsync();
    }

    [Fact]
    public async Task Sweep_WhileAnotherSiloIsAtIt_DoesNothing()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var job = new CountedJob();
        var sweeper = new RetentionSweeper(
            ledger.Database, [job], Options.Create(new RetentionOptions()), TimeProvider.System, NullLogger<RetentionSweeper>.Instance);
        await using (var other = await ledger.Database.OpenSessionAsync(default))
        {
            await other.ExecuteAsync($"select pg_advisory_lock({RetentionSweeper.LockId})");
            Assert.False(await sweeper.SweepAsync(default));
            await other.ExecuteAsync($"select pg_advisory_unlock({RetentionSweeper.LockId})");
        }

        Assert.True(await sweeper.SweepAsync(default));
        Assert.True(await sweeper.SweepAsync(default));
        Assert.Equal(2, job.Steps);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Answers_AndBudgets_GoInTheirTime(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var time = new FakeTimeProvider(Run);
        var keys = await InstallationKeys.LoadAsync(ledger.Database, ledger.Options, new SecretsOptions(), null, time, default);
        var answers = new IdempotencyStore(ledger.Database, keys, time);
        await answers.BeginAsync(new IdempotentCall([1], [2]), default);
        var budgets = new BudgetStore(ledger.Database, SiloName.Draw());
        await ledger.Database.WriteAsync(WriteKind.Claim, session => session.ExecuteAsync("insert into budgets values (1, 5, 1, 1)"));
        await budgets.GrantAsync(2, 1, 1, new BudgetLimits(1, 1, null), default);

        await DrainAsync(answers);
        await DrainAsync(budgets);
        Assert.Equal((1, 1), await CountAsync());
        time.Advance(TimeSpan.FromHours(25));
        await DrainAsync(answers);
        Assert.Equal((0, 1), await CountAsync());

        async Task<(long, long)> CountAsync() => await ledger.Database.ReadAsync(session => session.FirstAsync(
            "select (select count(*) from idempotency), (select count(*) from budgets)", static row => (row.GetInt64(0), row.GetInt64(1))));
    }

    private static BatchRetention Batches(LedgerSample sample, TimeProvider time) => new(sample.Database, new MonthPartitions(sample.Database), Of(time), time);

    private static Retention Of(TimeProvider time, RetentionOptions? options = null) =>
        new(Options.Create(options ?? new RetentionOptions { EventDays = Days, BatchDays = Days }), time);

    private static Task<long> RowsAsync(LedgerSample sample) =>
        sample.Database.ReadAsync(session => session.FirstAsync("select count(*) from batches", static row => row.GetInt64(0)));

    private static async Task DrainAsync(IRetentionJob job)
    {
        for (var step = 0; step < 100; step++)
        {
            var began = Stopwatch.GetTimestamp();
            var removed = await job.StepAsync(default);
            TestContext.Current.TestOutputHelper?.WriteLine($"{job.Removes}: {removed} in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:f1} ms");
            if (removed == 0)
            {
                return;
            }
        }

        Assert.Fail("It has no end.");
    }

    private sealed class CountedJob : IRetentionJob
    {
        public int Steps { get; private set; }

        public string Removes => "nothing";

        public Task<int> StepAsync(CancellationToken cancellationToken)
        {
            Steps++;
            return Task.FromResult(0);
        }
    }
}
