using System.Security.Cryptography;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.Hosting;
using Orleans.TestingHost;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class RecipientGrainTests(PostgresServer server)
{
    private static readonly ForbidCommand Bounce = new(ForbidCause.HardBounce, "m1", 1_700_000_000);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Transitions_FiveHundredOnAHundredGrains_AllStand(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var cluster = await StartAsync(ledger);
        var keys = Enumerable.Range(0, 100).Select(_ => NewKey()).ToArray();
        ForbidCause[] causes = [ForbidCause.HardBounce, ForbidCause.Unsubscribed, ForbidCause.Spam, ForbidCause.Unsubscribed, ForbidCause.HardBounce];

        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Grain(cluster, keys[i % 100]).Forbid(new ForbidCommand(causes[i / 100], $"m{i / 100}", 1000 + i))));

        var rows = await ledger.Database.ReadAsync(session => SubscriptionStore.ReadAsync(session, keys), TestContext.Current.CancellationToken);
        Assert.All(rows, row => Assert.Equal(("unsubscribed", "spam", true), (row.Columns!.Status, row.Columns.Reason, row.Columns.Forbids)));
        Assert.All(rows.Index(), row => Assert.Equal((1000 + row.Index) * 1000, row.Item.Columns!.Since));
        Assert.All(rows, row => Assert.Equal(5, System.Text.Json.JsonElement.Parse(row.Columns!.Applied).GetPropertyCount()));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Transition_WhenAnotherActivationMovedOn_AppliesToWhatStands(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var cluster = await StartAsync(ledger);
        var key = NewKey();
        var grain = Grain(cluster, key);
        await grain.SetByHand(SubscriptionStatus.Unsubscribed, "by phone");
        await ElsewhereAsync(ledger, key, state => SubscriptionRules.Forbid(state, Bounce, 1_800_000_000_000));

        var after = await grain.Forbid(new ForbidCommand(ForbidCause.Unsubscribed, "m2", null));

        Assert.Equal("unsubscribed", after.Reason);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), after.Since);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TransitionThatChangesNothing_WhenAnotherActivationMovedOn_TakesEffectAllTheSame(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var cluster = await StartAsync(ledger);
        var key = NewKey();
        var grain = Grain(cluster, key);
        await grain.SetByHand(SubscriptionStatus.Unsubscribed, null);
        await ElsewhereAsync(ledger, key, static state => SubscriptionRules.SetByHand(state, SubscriptionStatus.Subscribed, null, 1_800_000_000_000));

        await grain.SetByHand(SubscriptionStatus.Unsubscribed, null);

        Assert.True((await StoredAsync(ledger, key)).Columns!.Forbids);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Erase_KeepsTheRowOnlyIfItForbids(string engine)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await using var cluster = await StartAsync(ledger);
        var profiles = new ProfileStore(ledger.Database, TimeProvider.System);
        var (forbidden, back, never) = (NewKey(), NewKey(), NewKey());
        await profiles.UpsertAsync([Row(forbidden), Row(back), Row(never)], WriteKind.Import, false, cancellationToken);
        await Grain(cluster, forbidden).SetByHand(SubscriptionStatus.Unsubscribed, "Ann Example phoned");
        await Grain(cluster, back).Forbid(Bounce);
        await Grain(cluster, back).SetByHand(SubscriptionStatus.Subscribed, null);

        await Task.WhenAll(Grain(cluster, forbidden).Erase(), Grain(cluster, back).Erase(), Grain(cluster, never).Erase());

        Assert.Empty(await profiles.PageAsync(0, 10, null, cancellationToken));
        Assert.Equal("by_hand", (await StoredAsync(ledger, forbidden)).Columns!.Reason);
        Assert.Equal(0, (await StoredAsync(ledger, back)).Version);
        Assert.Equal(0, (await StoredAsync(ledger, never)).Version);
        Assert.Equal(SubscriptionSnapshot.Unknown, await Grain(cluster, back).Get());
    }

    [Fact]
    public async Task Grain_WhoseWriteFailed_ForgetsWhatItDidNotStore()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        await using var cluster = await StartAsync(ledger);
        var grain = Grain(cluster, NewKey());
        await grain.Get();
        await RenameAsync(ledger, "subscriptions", "away");
        await Assert.ThrowsAnyAsync<Exception>(() => grain.SetByHand(SubscriptionStatus.Unsubscribed, null));
        await RenameAsync(ledger, "away", "subscriptions");

        Assert.Equal(SubscriptionStatus.Subscribed, (await grain.Get()).Status);
        Assert.Equal(SubscriptionStatus.Unsubscribed, (await grain.SetByHand(SubscriptionStatus.Unsubscribed, null)).Status);
    }

    private static Task RenameAsync(TestLedger ledger, string from, string to) =>
        ledger.Database.WriteAsync(WriteKind.Forbid, session => session.ExecuteAsync($"alter table {from} rename to {to}"));

    /// <summary>What a second activation of the same grain on another silo would write.</summary>
    private static async Task ElsewhereAsync(TestLedger ledger, byte[] key, Action<SubscriptionState> change)
    {
        await using var storage = new RecipientGrainStorage(ledger.Database, TimeProvider.System);
        var (id, state) = (Orleans.Runtime.GrainId.Create("recipient", RecipientKey.Hex(key)), new Orleans.GrainState<SubscriptionState>());
        await storage.ReadStateAsync("subscription", id, state);
        change(state.State!);
        await storage.WriteStateAsync("subscription", id, state);
    }

    private static async Task<StoredSubscription> StoredAsync(TestLedger ledger, byte[] key) =>
        (await ledger.Database.ReadAsync(session => SubscriptionStore.ReadAsync(session, [key]), TestContext.Current.CancellationToken))[0];

    private static async Task<InProcessTestCluster> StartAsync(TestLedger ledger)
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(ledger.Database);
            silo.Services.AddSingleton(TimeProvider.System);
            silo.Services.AddSingleton<ProfileStore>();
            silo.Services.AddGrainStorage(
                RecipientGrainStorage.Name,
                static (provider, _) => new RecipientGrainStorage(provider.GetRequiredService<LedgerDatabase>(), provider.GetRequiredService<TimeProvider>()));
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }

    private static IRecipientGrain Grain(InProcessTestCluster cluster, byte[] key) => cluster.Client.GetGrain<IRecipientGrain>(RecipientKey.Hex(key));

    private static byte[] NewKey() => RandomNumberGenerator.GetBytes(RecipientKey.Bytes);

    private static ProfileUpsert Row(byte[] key) => new(key, "a@x.org", "{}", null, null);
}
