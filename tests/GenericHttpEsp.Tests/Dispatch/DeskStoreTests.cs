using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class DeskStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LearnedSize_IsTheSmallestAndKnownToOthers(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (store, other) = (new DeskStore(ledger.Database), new DeskStore(ledger.Database));

        await store.KeepAsync(new LearnedSize(7, 1, 5000), CancellationToken.None);
        await store.KeepAsync(new LearnedSize(7, 1, 9000), CancellationToken.None);
        await store.KeepAsync(new LearnedSize(7, 2, 4000), CancellationToken.None);
        await store.KeepAsync(new LearnedSize(7, 2, 3000), CancellationToken.None);
        await store.KeepAsync(new LearnedSize(8, 1, 1), CancellationToken.None);

        Assert.Equal([new(7, 2, 3000), new(7, 1, 5000)], await other.SizesAsync(7, CancellationToken.None));
        Assert.Equal(3, (await other.NewSizesAsync(CancellationToken.None)).Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LearnedSize_OfLongAgo_CountsNoMore(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new DeskStore(ledger.Database);
        await store.KeepAsync(new LearnedSize(7, 1, 5000), CancellationToken.None);
        await ledger.Database.WriteAsync(
            GenericHttpEsp.Storage.WriteKind.Event, static session => session.ExecuteAsync("update learned_sizes set learned_at = learned_at - 700000000"));

        Assert.Empty(await store.SizesAsync(7, CancellationToken.None));
        await store.KeepAsync(new LearnedSize(7, 1, 9000), CancellationToken.None);
        Assert.Equal([new(7, 1, 9000)], await store.SizesAsync(7, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Probe_IsOneOfAllSilosUntilItEnds(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new DeskStore(ledger.Database);
        Task<bool> ProbeAsync(long provider) => store.TryProbeAsync(provider, TimeSpan.FromMinutes(1), CancellationToken.None);

        var won = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => ProbeAsync(7))));
        Assert.Single(won, true);
        Assert.True(await ProbeAsync(8));
        await store.EndFailuresAsync(7, CancellationToken.None);
        Assert.True(await ProbeAsync(7));
        Assert.False(await ProbeAsync(7));
    }
}
