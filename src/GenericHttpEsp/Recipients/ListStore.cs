using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>A list of recipients.</summary>
internal sealed record ListRow(long Id, string Name, DateTimeOffset CreatedAt);

/// <summary>Lists: names that recipients are filed under.</summary>
internal sealed class ListStore(LedgerDatabase database, TimeProvider time)
{
    private const int DeletedAtOnce = 5000;

    public Task<List<ListRow>> PageAsync(long after, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                "select id, name, created_at from lists where id > @after order by id limit @limit", Read, ("@after", after), ("@limit", limit)),
            cancellationToken);

    /// <summary>Makes a list, or finds it.</summary>
    public Task<(ListRow List, bool Created)> AddAsync(string name, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return database.WriteAsync(
            WriteKind.Event,
            async session =>
            {
                var created = await session.ExecuteAsync(
                    "insert into lists (name, created_at) values (@name, @now) on conflict do nothing", ("@name", name), ("@now", now)) == 1;
                var list = await session.FirstAsync("select id, name, created_at from lists where name = @name", Read, ("@name", name));
                return (list!, created);
            },
            cancellationToken: cancellationToken);
    }

    /// <summary>Deletes a list, never its recipients. The memberships follow in small transactions: a large list must not hold the writer.</summary>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var id = await database.WriteAsync(
            WriteKind.Event,
            session => session.FirstAsync("delete from lists where name = @name returning id", static row => row.GetInt64(0), ("@name", name)),
            cancellationToken: cancellationToken);
        while (id != 0 && await DeleteMembershipsAsync(id, cancellationToken) == DeletedAtOnce)
        {
            // More of them.
        }

        return id != 0;
    }

    // Ids of lists are never reused: what a crash leaves behind is invisible.
    private Task<int> DeleteMembershipsAsync(long list, CancellationToken cancellationToken) =>
        database.WriteAsync(
            WriteKind.Import,
            session => session.ExecuteAsync(
                """
                delete from memberships where list_id = @list and profile_id in (
                  select profile_id from memberships where list_id = @list order by profile_id limit @limit)
                """,
                ("@list", list), ("@limit", DeletedAtOnce)),
            DeletedAtOnce,
            cancellationToken);

    private static ListRow Read(System.Data.Common.DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)));
}
