using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>A size that an ESP refused, less a margin.</summary>
internal readonly record struct LearnedSize(long ProviderId, int Version, long BytesMax);

/// <summary>A provider's failures in a row, over the cluster.</summary>
/// <param name="ProviderId">The provider.</param>
/// <param name="Failures">Since the last good answer that a silo told of; 0 when there are none.</param>
/// <param name="Age">Since the first of them was told.</param>
internal readonly record struct FailureRow(long ProviderId, long Failures, TimeSpan Age);

/// <summary>What silos tell each other about a provider, and a restarted one finds again.</summary>
internal sealed class DeskStore(LedgerDatabase database)
{
    private const int SizesMax = 1000;
    // An ESP may raise its limit: after this a larger request is tried again.
    private const long SizeLastsMilliseconds = 7 * 86_400_000L;
    private const int ProvidersMax = 1000;
    // A good answer ends a row of failures that began so long before it: between an answer and the statement that tells of it is the way to the database.
    private const long TellingMilliseconds = 1000;
    private const long NeverMilliseconds = 1L << 50;
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

    /// <summary>Whether this silo may look if the ESP is back; no other may within the pause. One that ends later than a pause from now is of a clock that went back since.</summary>
    public Task<bool> TryProbeAsync(long providerId, TimeSpan pause, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Claim,
        async session => await session.FirstAsync(
            $"""
            insert into provider_desks (provider_id, probe_until) values (@provider, {session.Now} + @pause)
            on conflict (provider_id) do update set probe_until = excluded.probe_until
            where provider_desks.probe_until <= {session.Now} or provider_desks.probe_until > {session.Now} + @pause
            returning provider_id
            """,
            static row => row.GetInt64(0),
            ("@provider", providerId), ("@pause", (long)pause.TotalMilliseconds)) == providerId,
        cancellationToken);

    /// <summary>Failures of this silo; answers all of the row that they belong to.</summary>
    /// <param name="providerId">The provider.</param>
    /// <param name="failures">Since it last told.</param>
    /// <param name="sinceGood">Since its latest good answer: what others told before that is over. Null when it had none.</param>
    /// <param name="cancellationToken">Passed on.</param>
    public Task<FailureRow> AddFailuresAsync(long providerId, int failures, TimeSpan? sinceGood, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Claim,
        session =>
        {
            var isOver = $"(provider_desks.failures = 0 or provider_desks.failing_since + {TellingMilliseconds} < {session.Now} - @good)";
            return session.FirstAsync(
                $"""
                insert into provider_desks (provider_id, failures, failing_since) values (@provider, @failures, {session.Now})
                on conflict (provider_id) do update set
                  failures = excluded.failures + case when {isOver} then 0 else provider_desks.failures end,
                  failing_since = case when {isOver} then excluded.failing_since else provider_desks.failing_since end
                returning failures, {session.Now} - failing_since
                """,
                row => new FailureRow(providerId, row.GetInt64(0), TimeSpan.FromMilliseconds(row.GetInt64(1))),
                ("@provider", providerId), ("@failures", (long)failures), ("@good", (long?)sinceGood?.TotalMilliseconds ?? NeverMilliseconds));
        },
        cancellationToken);

    /// <summary>The providers that fail: so many times in a row or more.</summary>
    public Task<List<FailureRow>> FailingAsync(int failuresMin, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"select provider_id, failures, {session.Now} - failing_since from provider_desks where failures >= @min order by provider_id limit {ProvidersMax}",
            static row => new FailureRow(row.GetInt64(0), row.GetInt64(1), TimeSpan.FromMilliseconds(row.GetInt64(2))),
            ("@min", (long)failuresMin)),
        cancellationToken);

    /// <summary>It answers: the row of failures is over, and the others need not wait to see for themselves.</summary>
    public Task EndFailuresAsync(long providerId, CancellationToken cancellationToken) => database.WriteAloneAsync(
        WriteKind.Claim,
        session => session.ExecuteAsync("update provider_desks set failures = 0, probe_until = 0 where provider_id = @provider", ("@provider", providerId)),
        cancellationToken);
}
