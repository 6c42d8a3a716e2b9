namespace GenericHttpEsp.Storage;

/// <summary>The beat in PostgreSQL. Single statements, without a transaction around them: a silo that is stopped must not hold the row.</summary>
internal static class BeatStore
{
    public static async Task<BeatRow> ReadAsync(LedgerSession session)
    {
        var row = await session.FirstAsync(
            $"""
            select {session.Now}, ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int, exists (select 1 from unbroken),
              b.at, b.word, b.timeline
            from (select 1) as one left join (select at, word, timeline from beat limit 1) as b on true
            """,
            static row => new BeatRow(
                row.IsDBNull(3) ? null : new Beat(row.GetInt64(3), row.GetString(4)), row.IsDBNull(5) ? 0 : row.GetInt32(5), row.GetInt32(1), row.GetBoolean(2), row.GetInt64(0)));
        return row!;
    }

    /// <summary>Writes the next one, unless another silo was faster.</summary>
    public static async Task<bool> ReplaceAsync(LedgerSession session, Beat? last, Beat next, int timeline)
    {
        if (last is null)
        {
            // Before the first beat: whoever sees that one alone takes a new database for one that has recovered.
            await UnbreakAsync(session, next);
            return await session.ExecuteAsync(
                "insert into beat (at, word, timeline) values (@at, @word, @timeline) on conflict do nothing",
                ("@at", next.At), ("@word", next.Word), ("@timeline", timeline)) == 1;
        }

        if (await session.ExecuteAsync(
            "update beat set at = @at, word = @word, timeline = @timeline where word = @last",
            ("@at", next.At), ("@word", next.Word), ("@timeline", timeline), ("@last", last.Word)) == 0)
        {
            return false;
        }

        await UnbreakAsync(session, next);
        return true;
    }

    private static Task<int> UnbreakAsync(LedgerSession session, Beat next) =>
        session.ExecuteAsync("insert into unbroken (since) select @at where not exists (select 1 from unbroken)", ("@at", next.At));

    /// <summary>They came with a dump and belong to the original.</summary>
    public static async Task ForgetAsync(LedgerSession session)
    {
        await session.ExecuteAsync("delete from beat");
        await session.ExecuteAsync("delete from unbroken");
    }
}
