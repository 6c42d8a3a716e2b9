using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <param name="Held">What this silo may use now: slots above it were given up before the call.</param>
/// <param name="Wanted">What it would use; nothing held and nothing wanted ends the lease.</param>
/// <param name="Limit">The provider's concurrency.</param>
/// <param name="Revision">Of the provider that says so: a silo that has not heard of the latest one obeys it too.</param>
internal sealed record SlotAsk(int Held, int Wanted, int Limit, long Revision);

/// <param name="Slots">What this silo may use from now on.</param>
/// <param name="Share">What it should come down to, since others wait.</param>
/// <param name="WasLapsed">The lease was over before this call: what was begun under it is no part of this one.</param>
/// <param name="Failing">The provider's failures in a row, which stand in the row that every lease locks.</param>
internal readonly record struct SlotGrant(int Slots, int Share, bool WasLapsed, FailureRow Failing = default);

/// <summary>
/// Concurrency slots of the cluster, leased to silos. The provider's row is locked first, so all silos' leases of a provider come one after the other, and
/// no transaction holds two providers.
/// </summary>
internal sealed class SlotStore(LedgerDatabase database, SiloName name, TimeSpan lasts)
{
    private const int SilosMax = 1000;
    private readonly string _silo = name.Text;

    public Task<SlotGrant> LeaseAsync(long providerId, SlotAsk ask, CancellationToken cancellationToken) =>
        database.WriteAloneAsync(WriteKind.Claim, session => LeaseAsync(session, providerId, ask), cancellationToken);

    private async Task<SlotGrant> LeaseAsync(LedgerSession session, long providerId, SlotAsk ask)
    {
        var (limit, now, failing) = await LockAsync(session, providerId, ask);
        if (ask is { Held: 0, Wanted: 0 })
        {
            await session.ExecuteAsync(
                "delete from provider_slots where provider_id = @provider and (silo = @silo or lease_until <= @now)",
                ("@provider", providerId), ("@silo", _silo), ("@now", now));
            return default;
        }

        var standing = await session.QueryAsync(
            $"select silo, slots, wanted from provider_slots where provider_id = @provider and lease_until > @now order by silo limit {SilosMax}",
            static row => new SlotDemand(row.GetString(0), (int)row.GetInt64(1), (int)row.GetInt64(2)),
            ("@provider", providerId), ("@now", now));
        var others = standing.FindAll(demand => demand.Silo != _silo);
        var wasLapsed = ask.Held > 0 && others.Count == standing.Count;
        var held = wasLapsed ? 0 : ask.Held;
        var share = SlotRules.Share(_silo, limit, [.. others, new SlotDemand(_silo, held, ask.Wanted)], now);
        // More only from what is free, whatever the share; fewer only when the silo itself has given up.
        var slots = Math.Max(held, Math.Min(share, limit - others.Sum(static demand => demand.Slots)));
        await session.ExecuteAsync(
            """
            insert into provider_slots (provider_id, silo, slots, wanted, lease_until) values (@provider, @silo, @slots, @wanted, @until)
            on conflict (provider_id, silo) do update set slots = @slots, wanted = @wanted, lease_until = @until
            """,
            ("@provider", providerId), ("@silo", _silo), ("@slots", (long)slots), ("@wanted", (long)ask.Wanted),
            ("@until", now + (long)lasts.TotalMilliseconds));
        return new SlotGrant(slots, share, wasLapsed, failing);
    }

    private static Task<(int Limit, long Now, FailureRow Failing)> LockAsync(LedgerSession session, long providerId, SlotAsk ask) => session.FirstAsync(
        $"""
        insert into provider_desks (provider_id, revision, concurrency) values (@provider, @revision, @limit)
        on conflict (provider_id) do update set
          concurrency = case when excluded.revision >= provider_desks.revision then excluded.concurrency else provider_desks.concurrency end,
          revision = case when excluded.revision >= provider_desks.revision then excluded.revision else provider_desks.revision end
        returning concurrency, {session.Now}, failures, failing_since
        """,
        row => ((int)row.GetInt64(0), row.GetInt64(1), row.GetInt64(2) is > 0 and var failures
            ? new FailureRow(providerId, failures, TimeSpan.FromMilliseconds(row.GetInt64(1) - row.GetInt64(3)))
            : default),
        ("@provider", providerId), ("@revision", ask.Revision), ("@limit", (long)ask.Limit));
}
