namespace GenericHttpEsp.Storage;

/// <summary>
/// Stands in a database that was restored and that nobody has looked at since: what was sent after the backup was made is not in it and would be sent again. While it
/// stands no campaign goes on by itself; who has paused them all takes it away.
/// </summary>
internal static class RestoreMark
{
    /// <summary>Condition of statements that make campaigns go on.</summary>
    public const string IsAbsent = "not exists (select 1 from settings where name = 'restored')";

    /// <param name="session">The first reason stays: it knows most.</param>
    /// <param name="because">How the database is known to be restored; people read it.</param>
    public static Task SetAsync(LedgerSession session, string because) => session.ExecuteAsync(
        "insert into settings (name, value) values ('restored', @because) on conflict (name) do nothing", ("@because", because));

    public static Task<string?> ReadAsync(LedgerDatabase database, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.FirstAsync("select value from settings where name = 'restored'", static row => row.GetString(0)), cancellationToken);

    /// <summary>Unless it was set anew meanwhile.</summary>
    public static Task ClearAsync(LedgerDatabase database, string because, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        session => session.ExecuteAsync("delete from settings where name = 'restored' and value = @because", ("@because", because)),
        cancellationToken: cancellationToken);
}
