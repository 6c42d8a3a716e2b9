using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// Inserts and merges a set of profiles in one transaction. Rows that exist are read (and locked) and merged here, so both engines merge alike; ids are
/// taken for new rows only, since audiences are stored by ranges of ids.
/// </summary>
internal static class ProfileUpserts
{
    /// <param name="rows">In key order, no key twice: two spellings of one address in a statement are an error on PostgreSQL.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <returns>For each row its outcome and the profile's id.</returns>
    public static async Task<(UpsertOutcome Outcome, long Id)[]> RunAsync(LedgerSession session, IReadOnlyList<ProfileUpsert> rows, long now)
    {
        var stored = await StoredAsync(session, rows);
        var fresh = rows.Where(row => !stored.ContainsKey(SubscriptionStore.Number(row.Key))).ToList();
        var inserted = session.IsSqlite ? await InsertEachAsync(session, fresh, now) : await InsertSetAsync(session, fresh, now);
        if (inserted.Count < fresh.Count)
        {
            // Somebody inserted the same recipients meanwhile, and has committed.
            var met = fresh.Where(row => !inserted.ContainsKey(SubscriptionStore.Number(row.Key))).ToList();
            foreach (var (key, row) in await StoredAsync(session, met))
            {
                stored[key] = row;
            }
        }

        var results = new (UpsertOutcome, long)[rows.Count];
        var changes = new List<ProfileRowChange>();
        for (var i = 0; i < rows.Count; i++)
        {
            var key = SubscriptionStore.Number(rows[i].Key);
            results[i] = inserted.TryGetValue(key, out var id) ? (UpsertOutcome.Inserted, id) : Merge(rows[i], stored[key], changes);
        }

        await UpdateAsync(session, changes, now);
        return results;
    }

    private static (UpsertOutcome, long) Merge(ProfileUpsert row, ProfileRowChange stored, List<ProfileRowChange> changes)
    {
        var merged = stored with
        {
            Email = row.Email,
            Attributes = AttributesJson.Merge(stored.Attributes, row.Attributes),
            TimeZone = row.TimeZone switch { null => stored.TimeZone, "" => null, { } given => given },
        };
        if (RecipientLimits.AttributesProblem(merged.Attributes) is not null)
        {
            return (UpsertOutcome.TooLarge, stored.Id);
        }

        if (merged != stored)
        {
            changes.Add(merged);
        }

        return (UpsertOutcome.Updated, stored.Id);
    }

    private static async Task<Dictionary<UInt128, ProfileRowChange>> StoredAsync(LedgerSession session, IReadOnlyList<ProfileUpsert> rows)
    {
        var stored = await session.QueryAsync(
            $"select key, id, email, attributes, time_zone from profiles where key {session.AnyKey("@keys")} order by key {session.ForUpdate}",
            static row => (
                Key: row.GetFieldValue<byte[]>(0),
                Row: new ProfileRowChange(row.GetInt64(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4))),
            ("@keys", rows.Select(static row => row.Key).ToArray()));
        return stored.ToDictionary(row => SubscriptionStore.Number(row.Key), row => row.Row);
    }

    private static async Task<Dictionary<UInt128, long>> InsertEachAsync(LedgerSession session, List<ProfileUpsert> rows, long now)
    {
        var ids = new Dictionary<UInt128, long>();
        foreach (var row in rows)
        {
            ids[SubscriptionStore.Number(row.Key)] = await session.FirstAsync(
                """
                insert into profiles (key, email, attributes, time_zone, created_at, updated_at)
                values (@key, @email, @attributes, @zone, @now, @now) returning id
                """,
                static row => row.GetInt64(0),
                ("@key", row.Key), ("@email", row.Email), ("@attributes", AttributesJson.First(row.Attributes)), ("@zone", Zone(row)), ("@now", now));
        }

        return ids;
    }

    private static async Task<Dictionary<UInt128, long>> InsertSetAsync(LedgerSession session, List<ProfileUpsert> rows, long now)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        var ids = await session.QueryAsync(
            """
            insert into profiles (key, email, attributes, time_zone, created_at, updated_at)
            select key, email, attributes, zone, @now, @now from unnest(@keys, @emails, @attributes, @zones) as t(key, email, attributes, zone) order by key
            on conflict (key) do nothing returning key, id
            """,
            static row => (Key: row.GetFieldValue<byte[]>(0), Id: row.GetInt64(1)),
            ("@keys", rows.Select(static row => row.Key).ToArray()),
            ("@emails", rows.Select(static row => row.Email).ToArray()),
            ("@attributes", rows.Select(static row => AttributesJson.First(row.Attributes)).ToArray()),
            ("@zones", rows.Select(Zone).ToArray()),
            ("@now", now));
        return ids.ToDictionary(row => SubscriptionStore.Number(row.Key), row => row.Id);
    }

    private static async Task UpdateAsync(LedgerSession session, List<ProfileRowChange> changes, long now)
    {
        if (session.IsSqlite)
        {
            foreach (var change in changes)
            {
                await session.ExecuteAsync(
                    "update profiles set email = @email, attributes = @attributes, time_zone = @zone, updated_at = @now where id = @id",
                    ("@email", change.Email), ("@attributes", change.Attributes), ("@zone", change.TimeZone), ("@now", now), ("@id", change.Id));
            }
        }
        else if (changes.Count > 0)
        {
            await session.ExecuteAsync(
                """
                update profiles p set email = t.email, attributes = t.attributes, time_zone = t.zone, updated_at = @now
                from unnest(@ids, @emails, @attributes, @zones) as t(id, email, attributes, zone) where p.id = t.id
                """,
                ("@ids", changes.Select(static change => change.Id).ToArray()),
                ("@emails", changes.Select(static change => change.Email).ToArray()),
                ("@attributes", changes.Select(static change => change.Attributes).ToArray()),
                ("@zones", changes.Select(static change => change.TimeZone).ToArray()),
                ("@now", now));
        }
    }

    private static string? Zone(ProfileUpsert row) => row.TimeZone is "" ? null : row.TimeZone;

    private sealed record ProfileRowChange(long Id, string Email, string Attributes, string? TimeZone);
}
