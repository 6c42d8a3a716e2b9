using System.Globalization;

namespace GenericHttpEsp.Storage;

/// <summary>Small facts of the installation, and numbers that are never given twice.</summary>
internal static class Settings
{
    /// <summary>Stores a number unless one is there (or <paramref name="overwrite"/>), and answers the one that is there then.</summary>
    public static async Task<long> KeepAsync(LedgerSession session, string name, long value, bool overwrite)
    {
        await session.ExecuteAsync(
            overwrite
                ? "insert into settings (name, value) values (@name, @value) on conflict (name) do update set value = excluded.value"
                : "insert into settings (name, value) values (@name, @value) on conflict (name) do nothing",
            ("@name", name), ("@value", value.ToString(CultureInfo.InvariantCulture)));
        var kept = await session.FirstAsync("select value from settings where name = @name", static row => row.GetString(0), ("@name", name));
        return long.Parse(kept!, CultureInfo.InvariantCulture);
    }

    /// <summary>The next number of a sequence, from 1.</summary>
    public static Task<long> NextAsync(LedgerDatabase database, string sequence, CancellationToken cancellationToken) =>
        database.WriteAsync(
            WriteKind.Forbid,
            session => session.FirstAsync(
                """
                insert into sequences (name, value) values (@name, 1)
                on conflict (name) do update set value = sequences.value + 1
                returning value
                """,
                static row => row.GetInt64(0),
                ("@name", sequence)),
            cancellationToken: cancellationToken);
}
