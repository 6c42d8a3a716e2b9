using System.Data.Common;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>Profiles: who the recipients are. Never touches subscriptions; those are their grains'.</summary>
internal sealed class ProfileStore(LedgerDatabase database, TimeProvider time)
{
    private const int AttemptsMax = 3;

    /// <summary>Inserts and merges in one transaction.</summary>
    /// <param name="rows">No key twice.</param>
    /// <param name="kind"><see cref="WriteKind.Import"/> for many rows of a file, <see cref="WriteKind.Event"/> for a person who waits.</param>
    /// <param name="replaceLists">Rows that name lists are on those alone afterwards.</param>
    /// <returns>One outcome a row, in the order of <paramref name="rows"/>.</returns>
    public async Task<UpsertOutcome[]> UpsertAsync(IReadOnlyList<ProfileUpsert> rows, WriteKind kind, bool replaceLists, CancellationToken cancellationToken)
    {
        var order = Enumerable.Range(0, rows.Count).OrderBy(i => SubscriptionStore.Number(rows[i].Key)).ToArray();
        var ordered = order.Select(i => rows[i]).ToArray();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var outcomes = new UpsertOutcome[rows.Count];
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var results = await database.WriteAsync(kind, session => UpsertAsync(session, ordered, now, replaceLists), rows.Count, cancellationToken);
                for (var i = 0; i < order.Length; i++)
                {
                    outcomes[order[i]] = results[i];
                }

                return outcomes;
            }
            catch (DbException passing) when (passing.IsTransient && attempt < AttemptsMax)
            {
                // Two imports that hold the same recipients can lock crosswise (PostgreSQL ends one of them); the same rows again do no harm.
            }
        }
    }

    /// <summary>Deletes a profile and its memberships.</summary>
    /// <returns>Whether there was one.</returns>
    public Task<bool> DeleteAsync(byte[] key, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            WriteKind.Forbid,
            async session =>
            {
                var id = await session.FirstAsync($"select id from profiles where key = @key {session.ForUpdate}", static row => row.GetInt64(0), ("@key", key));
                if (id == 0)
                {
                    return false;
                }

                await session.ExecuteAsync("delete from memberships where profile_id = @id", ("@id", id));
                await session.ExecuteAsync("delete from profiles where id = @id", ("@id", id));
                await ProfileTraces.OverwriteAsync(session, id);
                return true;
            },
            cancellationToken: cancellationToken);

    /// <summary>The key of a profile, or null when it was erased.</summary>
    public Task<byte[]?> KeyAsync(long id, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.FirstAsync("select key from profiles where id = @id", static row => row.GetFieldValue<byte[]>(0), ("@id", id)),
            cancellationToken);

    /// <summary>Profiles for rendering, by id; erased ones are missing.</summary>
    public Task<List<ProfileRow>> ByIdsAsync(long[] ids, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.QueryAsync(
                $"select id, key, email, attributes, time_zone from profiles where id {session.Any("@ids")} order by id", ReadRow, ("@ids", ids)),
            cancellationToken);

    public Task<Profile?> FindAsync(byte[] key, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session => (await WithListsAsync(session, await session.QueryAsync($"{ProfileAndSubscription} where p.key = @key", ReadProfile, ("@key", key))))
                .FirstOrDefault(),
            cancellationToken);

    /// <summary>A page in the order of ids.</summary>
    /// <param name="after">The last id of the page before; 0 at the start.</param>
    /// <param name="list">Only recipients on this list.</param>
    public Task<List<Profile>> PageAsync(long after, int limit, string? list, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session => await WithListsAsync(
                session,
                list is null
                    ? await session.QueryAsync(
                        $"{ProfileAndSubscription} where p.id > @after order by p.id limit @limit", ReadProfile, ("@after", after), ("@limit", limit))
                    : await session.QueryAsync(
                        $"""
                        {ProfileAndSubscription}
                        join memberships m on m.profile_id = p.id
                        where m.list_id = (select id from lists where name = @list) and m.profile_id > @after order by m.profile_id limit @limit
                        """,
                        ReadProfile,
                        ("@after", after), ("@limit", limit), ("@list", list))),
            cancellationToken);

    private const string ProfileAndSubscription =
        """
        select p.id, p.key, p.email, p.attributes, p.time_zone, s.forbids, s.reason, s.since
        from profiles p left join subscriptions s on s.key = p.key
        """;

    private static async Task<UpsertOutcome[]> UpsertAsync(LedgerSession session, ProfileUpsert[] rows, long now, bool replaceLists)
    {
        var results = await ProfileUpserts.RunAsync(session, rows, now);
        await Memberships.AddAsync(
            session,
            [.. rows.Zip(results).Where(static pair => pair.First.Lists is not null && pair.Second.Outcome != UpsertOutcome.TooLarge)
                .Select(static pair => (pair.Second.Id, pair.First.Lists!))],
            now,
            replaceLists);
        return [.. results.Select(static result => result.Outcome)];
    }

    private static async Task<List<Profile>> WithListsAsync(LedgerSession session, List<Profile> profiles)
    {
        var lists = await Memberships.OfAsync(session, [.. profiles.Select(static profile => profile.Row.Id)]);
        return [.. profiles.Select(profile => profile with { Lists = [.. lists[profile.Row.Id]] })];
    }

    private static ProfileRow ReadRow(DbDataReader row) =>
        new(row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetString(2), row.GetFieldValue<byte[]>(3), row.IsDBNull(4) ? null : row.GetString(4));

    private static Profile ReadProfile(DbDataReader row) => new(
        ReadRow(row),
        [],
        row.IsDBNull(5)
            ? SubscriptionSnapshot.Unknown
            : new SubscriptionSnapshot(
                row.GetBoolean(5) ? SubscriptionStatus.Unsubscribed : SubscriptionStatus.Subscribed,
                row.IsDBNull(6) ? null : row.GetString(6),
                row.IsDBNull(7) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7))));
}
