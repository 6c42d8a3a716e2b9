using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class OutcomeStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Outcome_Repeated_ChangesNothing(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();

        for (var time = 0; time < 3; time++)
        {
            await sample.RecordAsync(batch, RecordOutcome.Accepted);
        }

        Assert.Equal(10, (await CountsAsync(sample))[RecordOutcome.Accepted]);
        await sample.HoldsAsync();
        Assert.Equal(PartitionTail.Done, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));
        Assert.Equal(PartitionTail.Fenced, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Truth_OnlyMovesUp(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();

        await sample.RecordAsync(batch, RecordOutcome.Unknown);
        await sample.RecordAsync(batch, RecordOutcome.Accepted);
        await sample.RecordAsync(batch, RecordOutcome.Refused);
        await sample.RecordAsync(batch, RecordOutcome.Unknown);

        Assert.Equal(10, (await CountsAsync(sample))[RecordOutcome.Accepted]);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Later_BecomesAWaitingRow_ClaimedAgainWithAFreshLook(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();
        await sample.RecordAsync(batch, RecordOutcome.ToCome, new Successor(0, 10, TimeSpan.Zero, CountsAsAttempt: true));
        await sample.UnsubscribeAsync(0);

        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        Assert.Equal(PartitionTail.Open, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));
        var again = await sample.Claims.ReclaimAsync(new ReclaimRequest(sample.Owner(), row.Id, sample.Draft(row.Ids)), default);
        var twice = await sample.Claims.ReclaimAsync(new ReclaimRequest(sample.Owner(), row.Id, sample.Draft(row.Ids)), default);

        Assert.Equal(1, again.Batches[0].Attempt);
        Assert.Equal(RecordOutcome.SkippedUnsubscribed, again.Batches[0].Outcomes[0]);
        Assert.Equal(ClaimStatus.Held, twice.Status);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Halves_HoldEverybodyOnce(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.UnsubscribeAsync(1);
        var batch = await sample.ClaimAllAsync();
        var report = ReportRules.Report(batch.Id, batch.Outcomes, new AnswerMeaning(AnswerKind.Halve, "413"), "413");
        await sample.Outcomes.RecordAsync(report, default);

        var rows = (await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting;
        Assert.Equal([4, 5], rows.Select(row => row.Ids.Length).Order());
        Assert.Equal(sample.Ids.Where((_, i) => i != 1), rows.SelectMany(row => row.Ids).Order());
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Record_AfterEightRequests_Fails(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();
        var requests = 0;
        while (true)
        {
            requests++;
            await sample.RecordAsync(batch, RecordOutcome.ToCome, new Successor(0, 10, TimeSpan.Zero, CountsAsAttempt: true));
            var waiting = (await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting;
            if (waiting.Count == 0)
            {
                break;
            }

            batch = (await sample.Claims.ReclaimAsync(new ReclaimRequest(sample.Owner(), waiting[0].Id, sample.Draft(waiting[0].Ids)), default)).Batches[0];
        }

        Assert.Equal(8, requests);
        Assert.Equal(10, (await CountsAsync(sample))[RecordOutcome.Failed]);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_WithoutOutcomeAtItsDeadline_IsUnknown(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();
        Assert.Equal(0, await sample.Outcomes.ExpireAsync(LedgerSample.Campaign, default));
        await sample.ExecuteAsync("update batches set deadline_at = 1");

        Assert.Equal(1, await sample.Outcomes.ExpireAsync(LedgerSample.Campaign, default));
        Assert.Equal(10, (await CountsAsync(sample))[RecordOutcome.Unknown]);
        await sample.RecordAsync(batch, RecordOutcome.ToCome, new Successor(0, 10, TimeSpan.Zero, CountsAsAttempt: false));
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Stop_SkipsWhatIsLeft_AndWhatIsOnTheWireGetsItsOutcome(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var first = (await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids[..3])).Batches[0];
        var second = (await sample.ClaimAsync(sample.Ids[2], sample.Ids[3..6])).Batches[0];
        await sample.RecordAsync(second, RecordOutcome.ToCome, new Successor(0, 3, TimeSpan.Zero, CountsAsAttempt: true));

        await sample.Partitions.StopAsync(LedgerSample.Campaign, 1, default);
        await sample.Partitions.StopAsync(LedgerSample.Campaign, 1, default);
        await sample.HoldsAsync();
        await sample.RecordAsync(first, RecordOutcome.ToCome, new Successor(0, 3, TimeSpan.Zero, CountsAsAttempt: true));

        Assert.Equal(10, (await CountsAsync(sample))[RecordOutcome.SkippedStopped]);
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Verify_WithABrokenCounterOrALostRow_SaysSo(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();
        await sample.RecordAsync(batch, RecordOutcome.Accepted);
        await sample.ExecuteAsync("update partitions set accepted = accepted + 1");
        Assert.Contains((await sample.Audit.VerifyAsync(LedgerSample.Campaign, default)).Problems, problem => problem.Contains("counter accepted", StringComparison.Ordinal));
        await sample.ExecuteAsync("delete from batches");
        Assert.Contains((await sample.Audit.VerifyAsync(LedgerSample.Campaign, default)).Problems, problem => problem.Contains("in no row", StringComparison.Ordinal));
    }

    [Property(MaxTest = 25)]
    public Property Answers_InAnySequence_KeepTheSum() => Prop.ForAll(
        Gen.Choose(0, 7).ListOf(12).ToArbitrary(),
        answers => RunAsync([.. answers]).GetAwaiter().GetResult());

    private async Task<bool> RunAsync(int[] answers)
    {
        await using var sample = await LedgerSample.CreateAsync("Sqlite", server, people: 23);
        var cursor = sample.Lease.Cursor;
        var next = 0;
        foreach (var answer in answers)
        {
            ClaimedBatch batch;
            var waiting = (await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting;
            if (waiting.Count > 0 && answer % 2 == 0)
            {
                batch = (await sample.Claims.ReclaimAsync(new ReclaimRequest(sample.Owner(), waiting[0].Id, sample.Draft(waiting[0].Ids)), default)).Batches[0];
            }
            else if (next < sample.Ids.Length)
            {
                var ids = sample.Ids[next..Math.Min(next + 5, sample.Ids.Length)];
                batch = (await sample.ClaimAsync(cursor, ids)).Batches[0];
                (cursor, next) = (ids[^1], next + ids.Length);
            }
            else
            {
                break;
            }

            var meaning = new AnswerMeaning((AnswerKind)answer, "any");
            await sample.Outcomes.RecordAsync(ReportRules.Report(batch.Id, batch.Outcomes, meaning, null), default);
            await sample.HoldsAsync();
        }

        return true;
    }

    private static async Task<IReadOnlyDictionary<RecordOutcome, long>> CountsAsync(LedgerSample sample) =>
        (await sample.Partitions.CountsAsync(LedgerSample.Campaign, default)).By;
}
