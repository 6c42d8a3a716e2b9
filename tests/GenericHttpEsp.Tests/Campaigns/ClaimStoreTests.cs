using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class ClaimStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_SkipsWhoMustNotGetMail_WithTheReason(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.UnsubscribeAsync(2);
        await sample.ExecuteAsync($"delete from profiles where id = {sample.Ids[3]}");

        var claim = await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids[..5]);

        Assert.Equal(ClaimStatus.Claimed, claim.Status);
        Assert.Equal(
            [RecordOutcome.ToCome, RecordOutcome.ToCome, RecordOutcome.SkippedUnsubscribed, RecordOutcome.SkippedErased, RecordOutcome.ToCome],
            claim.Batches[0].Outcomes);
        Assert.Equal(claim.Batches[0].Outcomes, await sample.OutcomesAsync(claim.Batches[0].Id));
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_OfSeveralBatches_IsOneStepOfTheCursor(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var drafts = sample.Ids.Select(id => sample.Draft(id)).ToList();

        var claim = await sample.Claims.ClaimAsync(new ClaimRequest(sample.Owner(), sample.Lease.Cursor, drafts), default);

        Assert.Equal(10, claim.Batches.Select(batch => batch.Id).Distinct().Count());
        Assert.Equal(10, sample.OpenClaims.Count);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_FromAnotherPlaceOrEpochOrState_IsFencedAndChangesNothing(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);

        Assert.Equal(ClaimStatus.Fenced, (await sample.ClaimAsync(sample.Ids[1], sample.Ids[2..4])).Status);
        var stale = sample.Owner();
        await sample.TakeAsync();
        Assert.Equal(ClaimStatus.Fenced, (await sample.Claims.ClaimAsync(new ClaimRequest(stale, sample.Lease.Cursor, [sample.Draft(sample.Ids)]), default)).Status);
        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 1, default);
        Assert.Equal(ClaimStatus.Fenced, (await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids)).Status);

        Assert.Equal(0, sample.OpenClaims.Count);
        Assert.Equal(10, (await sample.Partitions.CountsAsync(LedgerSample.Campaign, default)).By[RecordOutcome.ToCome]);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claims_OfTwoActivationsAtOnce_OneWins(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var request = new ClaimRequest(sample.Owner(), sample.Lease.Cursor, [sample.Draft(sample.Ids)]);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => sample.Claims.ClaimAsync(request, default))));

        Assert.Single(results, result => result.Status == ClaimStatus.Claimed);
        await sample.HoldsAsync();
    }

    [Theory]
    [InlineData(nameof(StorageEngine.Sqlite), false)]
    [InlineData(nameof(StorageEngine.Sqlite), true)]
    [InlineData(nameof(StorageEngine.PostgreSql), false)]
    [InlineData(nameof(StorageEngine.PostgreSql), true)]
    public async Task Claim_HeldByALockWhileAnUnsubscribeIsAcknowledged_LeavesThePersonOut(string engine, bool rowExists)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        if (rowExists)
        {
            await sample.ExecuteAsync(
                $"insert into subscriptions (key, status, forbids, version) values ({Literal(engine, LedgerSample.Key(4))}, 'subscribed', {(engine == "Sqlite" ? "0" : "false")}, 1)");
        }

        var (held, release) = await HoldPartitionAsync(sample, engine);
        var claim = Task.Run(() => sample.ClaimAsync(sample.Lease.Cursor, sample.Ids));
        await sample.UnsubscribeAsync(4).WaitAsync(TimeSpan.FromSeconds(engine == "Sqlite" ? 0.2 : 10)).ContinueWith(_ => { }, TaskScheduler.Default);
        release.SetResult();
        await held;

        var result = await claim;
        if (result.Status == ClaimStatus.Claimed)
        {
            Assert.Equal(RecordOutcome.SkippedUnsubscribed, result.Batches[0].Outcomes[4]);
        }

        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Claim_WhoseEveryStatementFailsInTurn_LeavesNothingBehind(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await sample.UnsubscribeAsync(1);
        for (var n = 1; ; n++)
        {
            var left = n;
            sample.Database.BeforeStatement = _ =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    throw new InvalidOperationException("planned");
                }
            };
            await ReopenAsync(sample);
            left = n;
            try
            {
                await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids);
                Assert.True(n > 3, "the claim has several statements");
                break;
            }
            catch (InvalidOperationException planned) when (planned.Message == "planned")
            {
                left = int.MaxValue;
                Assert.Equal(0, sample.OpenClaims.Count);
                await sample.HoldsAsync();
            }
        }

        sample.Database.BeforeStatement = null;
        await sample.HoldsAsync();
    }

    /// <summary>Sessions take the hook when they are opened: a failed write makes the writer open a new one.</summary>
    private static async Task ReopenAsync(LedgerSample sample)
    {
        for (var lane = 0; lane < 4; lane++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => sample.Database.WriteAsync<int>(
                WriteKind.Event, _ => throw new InvalidOperationException("reopen"), 1, affinity: lane));
        }
    }

    /// <summary>PostgreSQL: a lock on the partition's row. SQLite: the one writer is busy, the claim and the unsubscribe wait for it.</summary>
    private static async Task<(Task Held, TaskCompletionSource Release)> HoldPartitionAsync(LedgerSample sample, string engine)
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var locked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = sample.Database.WriteAsync(engine == "Sqlite" ? WriteKind.Import : WriteKind.Outcome, async session =>
        {
            await session.FirstAsync($"select id from partitions where id = @id {session.ForUpdate}", static row => row.GetInt64(0), ("@id", sample.Partition));
            locked.TrySetResult();
            await release.Task;
            return 0;
        });
        await locked.Task;
        return (held, release);
    }

    private static string Literal(string engine, byte[] key) =>
        engine == "Sqlite" ? $"x'{Convert.ToHexString(key)}'" : $"'\\x{Convert.ToHexString(key)}'";
}
