using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// What SQLite leaves of an erased row although it overwrites what it deletes: a page that was split keeps copies of the rows that moved to its neighbour,
/// in its free space (17 of 1000 erased rows, after five imports that made the rows grow; none with this). Such a page holds rows near by: those are taken out
/// and put back, so that it is freed, and with that overwritten as a whole.
/// </summary>
internal static class ProfileTraces
{
    /// <summary>To either side. Rows that were ever on one page with the erased one.</summary>
    private const int Neighbours = 64;

    public static async Task OverwriteAsync(LedgerSession session, long id)
    {
        if (!session.IsSqlite)
        {
            return;
        }

        (string, object?)[] range = [("@first", id - Neighbours), ("@last", id + Neighbours)];
        var rows = await session.QueryAsync(
            "select id, key, email, attributes, time_zone, created_at, updated_at from profiles where id between @first and @last order by id limit 1000",
            static row => new object?[]
            {
                row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.GetInt64(5), row.GetInt64(6),
            },
            range);
        await session.ExecuteAsync("delete from profiles where id between @first and @last", range);
        foreach (var row in rows)
        {
            await session.ExecuteAsync(
                """
                insert into profiles (id, key, email, attributes, time_zone, created_at, updated_at)
                values (@id, @key, @email, @attributes, @zone, @created, @updated)
                """,
                ("@id", row[0]), ("@key", row[1]), ("@email", row[2]), ("@attributes", row[3]), ("@zone", row[4]), ("@created", row[5]), ("@updated", row[6]));
        }
    }
}
