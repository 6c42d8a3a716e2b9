using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class RepeatStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LostAnswer_UnderALivingKey_IsRepeatedWithTheSameKey(string engine)
    {
        await using var sample = await LostAsync(engine, TimeSpan.FromHours(1));
        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        Assert.Equal(1, row.Repetition);
        Assert.Equal(PartitionTail.Open, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));

        var repeated = await RepeatAsync(sample, row);

        Assert.Equal(ClaimStatus.Claimed, repeated.Status);
        Assert.Equal("key1", repeated.Batches[0].Key);
        await sample.HoldsAsync();
        await sample.RecordAsync(repeated.Batches[0], RecordOutcome.Accepted);
        Assert.Equal(10, (await sample.Partitions.CountsAsync(LedgerSample.Campaign, default)).By[RecordOutcome.Accepted]);
        Assert.Equal(PartitionTail.Done, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LostAnswer_FourTimes_IsHeld(string engine)
    {
        await using var sample = await LostAsync(engine, TimeSpan.FromHours(1));
        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        for (var time = 0; time < 3; time++)
        {
            await sample.RecordAsync((await RepeatAsync(sample, row)).Batches[0], RecordOutcome.Unknown);
        }

        Assert.Equal(ClaimStatus.Held, (await RepeatAsync(sample, row)).Status);
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        Assert.Equal(10, (await sample.Partitions.CountsAsync(LedgerSample.Campaign, default)).By[RecordOutcome.Unknown]);
        await sample.HoldsAsync();
    }

    [Theory]
    [InlineData("Sqlite", "key")]
    [InlineData("Sqlite", "content")]
    [InlineData("Sqlite", "unsubscribed")]
    [InlineData("Sqlite", "proved")]
    [InlineData("PostgreSql", "key")]
    [InlineData("PostgreSql", "content")]
    [InlineData("PostgreSql", "unsubscribed")]
    [InlineData("PostgreSql", "proved")]
    public async Task LostAnswer_WhoseRequestWouldDiffer_IsHeld(string engine, string difference)
    {
        await using var sample = await LostAsync(engine, difference == "key" ? TimeSpan.FromSeconds(10) : TimeSpan.FromHours(1));
        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        var draft = sample.Draft(row.Ids);
        switch (difference)
        {
            case "content":
                draft.Hashes[3] ^= 1;
                break;
            case "unsubscribed":
                await sample.UnsubscribeAsync(5);
                break;
            case "proved":
                var news = new RecordOutcome[10];
                news[2] = RecordOutcome.Accepted;
                await sample.Outcomes.RecordAsync(new BatchReport(row.Id, news, [], null), default);
                break;
        }

        var result = await sample.Repeats.RepeatAsync(new ReclaimRequest(sample.Owner(), row.Id, draft), default);

        Assert.Equal(ClaimStatus.Held, result.Status);
        var because = difference switch
        {
            "key" => "the ESP's memory of the key is over",
            "content" => "somebody's message would be another one by now",
            "unsubscribed" => "somebody in it must not get mail any more",
            _ => "of somebody in it more is known by now",
        };
        var held = await sample.Database.ReadAsync(session => session.FirstAsync(
            "select answer from batches where id = @id", static found => found.GetString(0), ("@id", row.Id)));
        Assert.EndsWith($"not repeated: {because}", held, StringComparison.Ordinal);
        Assert.Equal(0, sample.OpenClaims.Count);
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LostAnswer_AfterTheSwitchToHold_IsHeld(string engine)
    {
        await using var sample = await LostAsync(engine, TimeSpan.FromHours(1));
        var row = Assert.Single((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        sample.KeyLifetime = null;
        Assert.Equal(ClaimStatus.Held, (await RepeatAsync(sample, row)).Status);
        Assert.Equal(10, (await sample.Unknown.PageAsync(LedgerSample.Campaign, 0, 10, default))[0].Records);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LostAnswer_UnderHold_IsNotRepeated(string engine)
    {
        await using var sample = await LostAsync(engine, null);
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        Assert.Equal(PartitionTail.Done, await sample.Partitions.FinishAsync(sample.Partition, sample.Lease.Epoch, default));
    }

    [Theory]
    [InlineData("Sqlite", RecordOutcome.Accepted)]
    [InlineData("Sqlite", RecordOutcome.Failed)]
    [InlineData("PostgreSql", RecordOutcome.Accepted)]
    [InlineData("PostgreSql", RecordOutcome.Failed)]
    public async Task Unknown_Resolved_ChangesOnlyWhatIsStillUnknown(string engine, RecordOutcome news)
    {
        await using var sample = await LostAsync(engine, null);
        var listed = Assert.Single(await sample.Unknown.PageAsync(LedgerSample.Campaign, 0, 10, default));
        Assert.Equal(10, listed.Records);

        Assert.Equal(10, await sample.Unknown.ResolveAsync(LedgerSample.Campaign, [listed.BatchId], news, default));
        Assert.Equal(0, await sample.Unknown.ResolveAsync(LedgerSample.Campaign, null, RecordOutcome.Accepted, default));

        Assert.Equal(10, (await sample.Partitions.CountsAsync(LedgerSample.Campaign, default)).By[news]);
        await sample.HoldsAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Retry_TakesFailedAndRefusedOnce(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var batch = await sample.ClaimAllAsync();
        var news = Array.ConvertAll(batch.Outcomes, static _ => RecordOutcome.Accepted);
        (news[1], news[7]) = (RecordOutcome.Refused, RecordOutcome.Failed);
        await sample.Outcomes.RecordAsync(new BatchReport(batch.Id, news, [], "no"), default);

        for (var time = 0; time < 2; time++)
        {
            await sample.Retries.CreateAsync(LedgerSample.Campaign, 2, 20261125, DateTimeOffset.UnixEpoch, default);
        }

        var counts = await sample.Partitions.CountsAsync(LedgerSample.Campaign, default);
        Assert.Equal(2, counts.By[RecordOutcome.ToCome]);
        Assert.Equal(8, counts.By[RecordOutcome.Accepted]);
        Assert.Equal(10, counts.Audience - counts.By[RecordOutcome.Retried]);
        var partition = Assert.Single(await sample.Partitions.UnfinishedAsync(LedgerSample.Campaign, 2, default));
        Assert.NotEqual(sample.Partition, partition);
        await sample.HoldsAsync();
    }

    private async Task<LedgerSample> LostAsync(string engine, TimeSpan? keyLifetime)
    {
        var sample = await LedgerSample.CreateAsync(engine, server);
        sample.KeyLifetime = keyLifetime;
        var batch = await sample.ClaimAllAsync();
        batch.Gate.Dispose();
        await sample.RecordAsync(batch, RecordOutcome.Unknown);
        Assert.Empty((await sample.Partitions.OpenRowsAsync(sample.Partition, default)).Waiting);
        await sample.ExecuteAsync("update batches set not_before = 0");
        return sample;
    }

    private static Task<ClaimResult> RepeatAsync(LedgerSample sample, WaitingRow row) =>
        sample.Repeats.RepeatAsync(new ReclaimRequest(sample.Owner(), row.Id, sample.Draft(row.Ids)), default);
}
