using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>Who is on which list. Statements inside of a caller's transaction or read.</summary>
internal static class Memberships
{
    /// <param name="rows">Profile ids with the lists to be on; lists are made when unknown.</param>
    /// <param name="replace">Leave the lists that are not named.</param>
    public static async Task AddAsync(LedgerSession session, IReadOnlyList<(long Profile, IReadOnlyList<string> Lists)> rows, long now, bool replace)
    {
        if (replace)
        {
            foreach (var (profile, _) in rows)
            {
                await session.ExecuteAsync("delete from memberships where profile_id = @profile", ("@profile", profile));
            }
        }

        var ids = await ListIdsAsync(session, [.. rows.SelectMany(static row => row.Lists).Distinct().Order(StringComparer.Ordinal)], now);
        var pairs = rows.SelectMany(row => row.Lists.Distinct().Select(list => (List: ids[list], row.Profile))).ToArray();
        if (session.IsSqlite)
        {
            foreach (var (list, profile) in pairs)
            {
                await session.ExecuteAsync(
                    "insert into memberships (list_id, profile_id) values (@list, @profile) on conflict do nothing", ("@list", list), ("@profile", profile));
            }
        }
        else if (pairs.Length > 0)
        {
            await session.ExecuteAsync(
                "insert into memberships (list_id, profile_id) select * from unnest(@lists, @profiles) on conflict do nothing",
                ("@lists", pairs.Select(static pair => pair.List).ToArray()), ("@profiles", pairs.Select(static pair => pair.Profile).ToArray()));
        }
    }

    /// <summary>Names of the lists of some profiles.</summary>
    public static async Task<ILookup<long, string>> OfAsync(LedgerSession session, long[] profiles)
    {
        var rows = await session.QueryAsync(
            $"select m.profile_id, l.name from memberships m join lists l on l.id = m.list_id where m.profile_id {session.Any("@profiles")} order by l.name",
            static row => (Profile: row.GetInt64(0), Name: row.GetString(1)),
            ("@profiles", profiles));
        return rows.ToLookup(static row => row.Profile, static row => row.Name);
    }

    /// <summary>Ids by name. In name order, so that two imports that make the same lists do not lock crosswise.</summary>
    public static async Task<Dictionary<string, long>> ListIdsAsync(LedgerSession session, string[] names, long now)
    {
        var ids = await KnownAsync(session, names);
        foreach (var name in names.Where(name => !ids.ContainsKey(name)))
        {
            await session.ExecuteAsync("insert into lists (name, created_at) values (@name, @now) on conflict do nothing", ("@name", name), ("@now", now));
        }

        return ids.Count == names.Length ? ids : await KnownAsync(session, names);
    }

    private static async Task<Dictionary<string, long>> KnownAsync(LedgerSession session, string[] names)
    {
        if (names.Length == 0)
        {
            return [];
        }

        // Shared lock: a list that is deleted now waits, and then takes these memberships with it.
        var any = session.IsSqlite ? "in (select value from json_each(@names))" : "= any(@names) for key share";
        var rows = await session.QueryAsync(
            $"select name, id from lists where name {any}", static row => (Name: row.GetString(0), Id: row.GetInt64(1)), ("@names", names));
        return rows.ToDictionary(static row => row.Name, static row => row.Id);
    }
}
