using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Api;

/// <summary>Table <c>api_keys</c>. Revoked keys keep their row, so that an id names one key for ever.</summary>
internal sealed class ApiKeyStore(LedgerDatabase database, TimeProvider time)
{
    /// <summary>Active keys at one time; every check compares with all of them.</summary>
    public const int ActiveMax = 200;

    public Task<List<(long Id, byte[] Hash)>> ActiveAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"select id, hash from api_keys where revoked_at is null order by id limit {ActiveMax}",
            static row => (row.GetInt64(0), row.GetFieldValue<byte[]>(1))),
        cancellationToken);

    public Task<List<ApiKeyAnswer>> PageAsync(PageRequest page, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "select id, name, created_at from api_keys where revoked_at is null and id > @after order by id limit @limit",
            static row => new ApiKeyAnswer(row.GetInt64(0), row.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2))),
            ("@after", page.After), ("@limit", (long)page.Limit + 1)),
        cancellationToken);

    /// <returns>The new row; null when there are <see cref="ActiveMax"/> keys already.</returns>
    public Task<ApiKeyAnswer?> AddAsync(string name, string key, CancellationToken cancellationToken)
    {
        var (hash, now) = (ApiKeyFormat.Hash(key), Now());
        return database.WriteAsync(WriteKind.Forbid, session => InsertAsync(session, name, hash, now), cancellationToken: cancellationToken);
    }

    public Task<RevokeResult> RevokeAsync(long id, CancellationToken cancellationToken)
    {
        var now = Now();
        return database.WriteAsync(WriteKind.Forbid, session => RevokeAsync(session, id, now), cancellationToken: cancellationToken);
    }

    /// <summary>Makes sure that the operator's own key is there; one that was revoked stays revoked.</summary>
    public Task<int> KeepAsync(string key, CancellationToken cancellationToken)
    {
        var (hash, now) = (ApiKeyFormat.Hash(key), Now());
        return database.WriteAsync(
            WriteKind.Forbid,
            session => session.ExecuteAsync(
                "insert into api_keys (name, hash, created_at) values ('bootstrap', @hash, @now) on conflict (hash) do nothing",
                ("@hash", hash), ("@now", now)),
            cancellationToken: cancellationToken);
    }

    /// <summary>Stores the first key of an installation, once: of silos that start together one succeeds.</summary>
    public Task<bool> AddFirstAsync(string key, CancellationToken cancellationToken)
    {
        var (hash, now) = (ApiKeyFormat.Hash(key), Now());
        return database.WriteAsync(
            WriteKind.Forbid,
            async session =>
            {
                var first = await session.ExecuteAsync(
                    """
                    insert into settings (name, value) select 'firstKeyMade', '1' where not exists (select 1 from api_keys)
                    on conflict (name) do nothing
                    """);
                return first == 1 && await InsertAsync(session, "bootstrap", hash, now) is not null;
            },
            cancellationToken: cancellationToken);
    }

    private static async Task<ApiKeyAnswer?> InsertAsync(LedgerSession session, string name, byte[] hash, long now)
    {
        var id = await session.FirstAsync(
            """
            insert into api_keys (name, hash, created_at)
            select @name, @hash, @now where (select count(*) from api_keys where revoked_at is null) < @max
            returning id
            """,
            static row => row.GetInt64(0),
            ("@name", name), ("@hash", hash), ("@now", now), ("@max", (long)ActiveMax));
        return id == 0 ? null : new ApiKeyAnswer(id, name, DateTimeOffset.FromUnixTimeMilliseconds(now));
    }

    private static async Task<RevokeResult> RevokeAsync(LedgerSession session, long id, long now)
    {
        var revoked = await session.ExecuteAsync(
            """
            update api_keys set revoked_at = @now where id = @id and revoked_at is null
              and exists (select 1 from api_keys where id <> @id and revoked_at is null)
            """,
            ("@id", id), ("@now", now));
        if (revoked == 1)
        {
            return RevokeResult.Revoked;
        }

        var active = await session.FirstAsync(
            "select id from api_keys where id = @id and revoked_at is null", static row => row.GetInt64(0), ("@id", id));
        return active == 0 ? RevokeResult.Unknown : RevokeResult.LastKey;
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}

internal enum RevokeResult
{
    Revoked,

    /// <summary>No such key, or revoked before.</summary>
    Unknown,

    /// <summary>Without it nobody could enter.</summary>
    LastKey,
}
