using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>A size that an ESP refused, less a margin.</summary>
internal readonly record struct LearnedSize(long ProviderId, int Version, long BytesMax);

/// <summary>What silos tell each other about a provider, and a restarted one finds again.</summary>
internal sealed class DeskStore(LedgerDatabase database)
{
    private const int SizesMax = 1000;
    // An ESP may raise its limit: after this a larger request is tried again.
    private const long SizeLastsMilliseconds = 7 * 86_400_000L;
    // Rows are stamped before they are committed: a look that began earlier may have missed them.
    private const long NewsMilliseconds = 30_000;

    public Task<List<LearnedSize>> SizesAsync(long providerId, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"""
            select provider_id, version, bytes_max from learned_sizes
            where provider_id = @provider and learned_at > {session.Now} - {SizeLastsMilliseconds} order by version desc limit {SizesMax}
            """,
            static row => new LearnedSize(row.GetInt64(0), (int)row.GetInt64(1), row.GetInt64(2)),
            ("@provider", providerId)),
        cancellationToken);

    /// <summary>What was learnt by anybody in the last half minute.</summary>
    public Task<List<LearnedSize>> NewSizesAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"""
            select provider_id, version, bytes_max from learned_sizes
            where learned_at > {session.Now} - {NewsMilliseconds} order by learned_at desc limit {SizesMax}
            """,
            static row => new LearnedSize(row.GetInt64(0), (int)row.GetInt64(1), row.GetInt64(2))),
        cancellationToken);

    /// <summary>Keeps the smaller size; one that is older than its time counts no more.</summary>
    public Task KeepAsync(LearnedSize size, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Outcome,
        session => session.ExecuteAsync(
            $"""
            insert into learned_sizes (provider_id, version, bytes_max, learned_at) values (@provider, @version, @bytes, {session.Now})
            on conflict (provider_id, version) do update set bytes_max = excluded.bytes_max, learned_at = excluded.learned_at
            where excluded.bytes_max < learned_sizes.bytes_max or learned_sizes.learned_at <= {session.Now} - {SizeLastsMilliseconds}
            """,
            ("@provider", size.ProviderId), ("@version", (long)size.Version), ("@bytes", size.BytesMax)),
        cancellationToken);

    /// <summary>Whether this silo may look if the ESP is back; no other may within the pause.</summary>
    public Task<bool> TryProbeAsync(long providerId, TimeSpan pause, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Claim,
        async session => await session.FirstAsync(
            $"""
            insert into provider_desks (provider_id, probe_until) values (@provider, {session.Now} + @pause)
            on conflict (provider_id) do update set probe_until = excluded.probe_until where provider_desks.probe_until <= {session.Now}
            returning provider_id
            """,
            static row => row.GetInt64(0),
            ("@provider", providerId), ("@pause", (long)pause.TotalMilliseconds)) == providerId,
        cancellationToken);

    /// <summary>It is back: the others need not wait to see for themselves.</summary>
    public Task EndProbeAsync(long providerId, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Claim,
        session => session.ExecuteAsync("update provider_desks set probe_until = 0 where provider_id = @provider", ("@provider", providerId)),
        cancellationToken);
}
