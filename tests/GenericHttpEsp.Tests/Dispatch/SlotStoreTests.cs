using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class SlotStoreTests(PostgresServer server)
{
    private const long Provider = 7;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Leases_OfManySilosAtOnce_StayWithinTheLimit(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var over = 0;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(silo => Task.Run(async () =>
        {
            var store = Store(ledger);
            var random = new Random(silo);
            var held = 0;
            for (var i = 0; i < 20; i++)
            {
                held = (await AskAsync(store, random.Next(0, held + 1), random.Next(1, 11), 10)).Slots;
                Interlocked.Add(ref over, await LeasedAsync(ledger) > 10 ? 1 : 0);
            }
        })));

        Assert.Equal(0, over);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SiloThatWaits_GetsWhatTheOtherGivesUp(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (first, second) = (Store(ledger), Store(ledger));

        Assert.Equal(new SlotGrant(8, 8, false), await AskAsync(first, 0, 8, 8));
        Assert.Equal(new SlotGrant(0, 4, false), await AskAsync(second, 0, 8, 8));
        // What is in use is kept; the share says what to come down to.
        Assert.Equal(new SlotGrant(8, 4, false), await AskAsync(first, 8, 8, 8));
        Assert.Equal(new SlotGrant(5, 4, false), await AskAsync(first, 5, 8, 8));
        Assert.Equal(new SlotGrant(3, 4, false), await AskAsync(second, 0, 8, 8));
        await AskAsync(first, 0, 0, 0);
        Assert.Equal(new SlotGrant(8, 8, false), await AskAsync(second, 3, 8, 8));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LeaseOfALostSilo_Lapses_AndItsLateRenewalFindsNothing(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (lost, other) = (Store(ledger, TimeSpan.FromMilliseconds(300)), Store(ledger));
        await AskAsync(lost, 0, 3, 3);
        Assert.Equal(0, (await AskAsync(other, 0, 3, 3)).Slots);

        SlotGrant grant;
        do
        {
            grant = await AskAsync(other, 0, 3, 3);
        }
        while (grant.Slots == 0);

        Assert.Equal(3, grant.Slots);
        var late = await AskAsync(lost, 3, 3, 3);
        Assert.Equal((0, true), (late.Slots, late.WasLapsed));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LowerLimit_IsObeyedByWhoHasNotHeardOfIt(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (first, second) = (Store(ledger), Store(ledger));
        await AskAsync(first, 0, 1, 8);

        await first.LeaseAsync(Provider, new SlotAsk(1, 1, 2, Revision: 2), CancellationToken.None);

        Assert.Equal(1, (await AskAsync(second, 0, 8, 8)).Slots);
        Assert.Equal(6, (await second.LeaseAsync(Provider, new SlotAsk(1, 8, 7, Revision: 3), CancellationToken.None)).Slots);
    }

    /// <summary>Slots that a silo gave up because the ESP is down do not send another one into it.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Lease_TellsOfFailuresInARow(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (store, desks) = (Store(ledger), new DeskStore(ledger.Database));
        Assert.Equal(0, (await AskAsync(store, 0, 3, 3)).Failing.Failures);

        await desks.AddFailuresAsync(Provider, 5, null, CancellationToken.None);
        await desks.AddFailuresAsync(Provider, 4, null, CancellationToken.None);
        await ledger.Database.WriteAsync(
            GenericHttpEsp.Storage.WriteKind.Event, static session => session.ExecuteAsync("update provider_desks set failing_since = failing_since - 60000"));

        var failing = (await AskAsync(store, 3, 3, 3)).Failing;
        Assert.Equal((Provider, 9L), (failing.ProviderId, failing.Failures));
        Assert.InRange(failing.Age, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(120));
    }

    private static Task<SlotGrant> AskAsync(SlotStore store, int held, int wanted, int limit) =>
        store.LeaseAsync(Provider, new SlotAsk(held, wanted, limit, Revision: 1), CancellationToken.None);

    private static SlotStore Store(TestLedger ledger, TimeSpan? lasts = null) => new(ledger.Database, SiloName.Draw(), lasts ?? TimeSpan.FromMinutes(1));

    private static Task<long> LeasedAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => session.FirstAsync(
        "select cast(coalesce(sum(slots), 0) as bigint) from provider_slots limit 1", static row => row.GetInt64(0)));
}
