using System.Security.Cryptography;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Tests.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace GenericHttpEsp.Tests.Recipients;

/// <summary>The contract of a grain storage, on both engines.</summary>
public sealed class RecipientGrainStorageTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task State_WrittenReadAndCleared_IsWhatWasWritten(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var grain = Grain();

        var first = await Read(storage, grain);
        Assert.False(first.RecordExists);
        Assert.Null(first.ETag);
        Forbid(first, "m1");
        await storage.WriteStateAsync("subscription", grain, first);
        var second = await Read(storage, grain);

        Assert.True(second.RecordExists);
        Assert.Equal(first.ETag, second.ETag);
        Assert.Equal(SubscriptionRules.Snapshot(first.State!), SubscriptionRules.Snapshot(second.State!));
        Assert.Equal(first.State!.Applied, second.State!.Applied);

        await storage.ClearStateAsync("subscription", grain, second);
        Assert.False(second.RecordExists);
        Assert.False((await Read(storage, grain)).RecordExists);
        Forbid(second, "m2");
        await storage.WriteStateAsync("subscription", grain, second);
        Assert.Equal(second.ETag, (await Read(storage, grain)).ETag);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Writes_OfAStaleState_AreConflictsForThatGrainOnly(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var (grain, other) = (Grain(), Grain());
        var (one, two, bystander) = (await Read(storage, grain), await Read(storage, grain), await Read(storage, other));
        Forbid(one, "m1");
        await storage.WriteStateAsync("subscription", grain, one);

        Forbid(two, "m2");
        Forbid(bystander, "m3");
        var writes = new[] { storage.WriteStateAsync("subscription", grain, two), storage.WriteStateAsync("subscription", other, bystander) };

        await Assert.ThrowsAsync<InconsistentStateException>(() => writes[0]);
        await writes[1];
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("subscription", grain, two));
        Assert.Contains("spam:m1", (await Read(storage, grain)).State!.Applied);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task WriteOfNothing_ProvesTheVersion_AndWritesNothing(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var grain = Grain();
        var (absent, one) = (await Read(storage, grain), await Read(storage, grain));
        await storage.WriteStateAsync("subscription", grain, absent);
        Assert.False((await Read(storage, grain)).RecordExists);

        Forbid(one, "m1");
        await storage.WriteStateAsync("subscription", grain, one);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("subscription", grain, absent));
        var two = await Read(storage, grain);
        await storage.WriteStateAsync("subscription", grain, two);
        Assert.Equal(one.ETag, (await Read(storage, grain)).ETag);

        Forbid(one, "m2");
        await storage.WriteStateAsync("subscription", grain, one);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("subscription", grain, two));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task FirstWrites_OfThirtyTwoAtOnce_OneWins(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var grain = Grain();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(async i =>
        {
            var state = await Read(storage, grain);
            Forbid(state, $"m{i}");
            try
            {
                await storage.WriteStateAsync("subscription", grain, state);
                return true;
            }
            catch (InconsistentStateException)
            {
                return false;
            }
        }));

        var applied = (await Read(storage, grain)).State!.Applied;
        Assert.Equal(outcomes.Count(static won => won), applied.Count);
        Assert.InRange(applied.Count, 1, 32);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Writes_OfAThousandGrains_ShareFewTransactions(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var before = ledger.Database.Transactions;

        await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            var (grain, state) = (Grain(), new GrainState<SubscriptionState>(new SubscriptionState()));
            Forbid(state, $"m{i}");
            await storage.WriteStateAsync("subscription", grain, state);
        }));

        Assert.InRange(ledger.Database.Transactions - before, 1, 50);
    }

    private static GrainId Grain() => GrainId.Create("recipient", RecipientKey.Hex(RandomNumberGenerator.GetBytes(RecipientKey.Bytes)));

    private static async Task<GrainState<SubscriptionState>> Read(RecipientGrainStorage storage, GrainId grain)
    {
        var state = new GrainState<SubscriptionState>();
        await storage.ReadStateAsync("subscription", grain, state);
        return state;
    }

    private static void Forbid(GrainState<SubscriptionState> state, string message) =>
        SubscriptionRules.Forbid(state.State!, new ForbidCommand(ForbidCause.Spam, message, 1_700_000_000), 1_800_000_000_000);
}
