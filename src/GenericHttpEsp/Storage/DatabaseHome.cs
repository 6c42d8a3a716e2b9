using Microsoft.Extensions.Options;
using Npgsql;

namespace GenericHttpEsp.Storage;

/// <summary>
/// The database remembers where it lives. One that finds itself elsewhere at a start was copied there, most likely restored from a backup, and gets the
/// <see cref="RestoreMark"/>. Copies of a whole PostgreSQL server are known by their <see cref="DatabaseBeat"/>. An exact image of a whole disk looks like the
/// original: for those there is the verb <c>restored</c>.
/// </summary>
internal sealed class DatabaseHome(LedgerDatabase database, DatabaseBeat beat, IOptions<StorageOptions> storage)
{
    private const string Read = "select value from settings where name = 'home'";

    /// <summary>Before the silo starts.</summary>
    public Task PrepareAsync(CancellationToken cancellationToken) =>
        database.Engine == StorageEngine.Sqlite ? PrepareFilesAsync(cancellationToken) : PrepareServerAsync(cancellationToken);

    /// <summary>
    /// Each start draws a word and writes it into the database and into a file beside it: files restored without that file, or over newer ones, disagree with it.
    /// The time at which the file system made <c>ledger.db</c> gives away a copy of the whole folder.
    /// </summary>
    private async Task PrepareFilesAsync(CancellationToken cancellationToken)
    {
        var file = new HomeFile(storage.Value.DataDirectory);
        var known = HomeFile.Split(await database.ReadAsync(static session => session.FirstAsync(Read, static row => row.GetString(0)), cancellationToken));
        var beside = await file.ReadAsync(cancellationToken);
        var born = FileBirth.Of(SqliteFiles.Ledger(storage.Value));
        var because = known is null && beside.Length == 0 ? null
            : known is null || !beside.Contains(known.Value.Word) ? "its database file is not the one that was last used in this directory"
            : known.Value.Born.Length > 0 && known.Value.Born != born ? "its directory is a copy"
            : null;
        var word = HomeFile.NewWord();
        // Both words until the database has the new one: a crash in between is no restore.
        await file.WriteAsync(known is null ? [word] : [known.Value.Word, word], cancellationToken);
        await database.WriteAsync(WriteKind.Forbid, session => MoveAsync(session, HomeFile.Join(word, born), because), cancellationToken: cancellationToken);
        await file.WriteAsync([word], cancellationToken);
    }

    /// <summary>A dump restored anywhere is another table, mostly in another database and on another server. A copy of the whole server is looked at by its beat.</summary>
    private async Task PrepareServerAsync(CancellationToken cancellationToken)
    {
        var here = $"{await SystemAsync(cancellationToken)}{await database.ReadAsync(
            static session => session.FirstAsync(
                "select (select oid from pg_database where datname = current_database()) || ' ' || 'settings'::regclass::oid", static row => row.GetString(0)),
            cancellationToken)}";
        await database.WriteAsync(
            WriteKind.Forbid,
            async session =>
            {
                // Locked: of silos that start together the first one finds out, and the others find it done.
                var known = await session.FirstAsync($"{Read} {session.ForUpdate}", static row => row.GetString(0));
                if (known == here)
                {
                    return 0;
                }

                // The silos in the table belong to the original. If they still run, this copy must not call them.
                await (known is null ? Task.CompletedTask : session.ExecuteAsync("delete from OrleansMembership"));
                await BeatStore.ForgetAsync(session);
                return await MoveAsync(session, here, known is null ? null : "its database was copied to where it is now");
            },
            cancellationToken: cancellationToken);
        await beat.PrepareAsync(here, cancellationToken);
    }

    /// <summary>The number of the database cluster, drawn when it was made; empty where the role may not ask.</summary>
    private async Task<string> SystemAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await database.ReadAsync(
                static session => session.FirstAsync("select system_identifier || ' ' from pg_control_system()", static row => row.GetString(0)), cancellationToken) ?? "";
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return "";
        }
    }

    private static async Task<int> MoveAsync(LedgerSession session, string home, string? because)
    {
        await (because is null ? Task.CompletedTask : RestoreMark.SetAsync(session, because));
        return await session.ExecuteAsync(
            "insert into settings (name, value) values ('home', @home) on conflict (name) do update set value = excluded.value", ("@home", home));
    }
}
