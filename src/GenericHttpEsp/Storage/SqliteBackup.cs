using System.Globalization;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Storage;

/// <summary>Copies the embedded databases while a server works on them: each as of one moment, as readers that hold nobody up.</summary>
internal static class SqliteBackup
{
    /// <param name="storage">Where the databases are.</param>
    /// <param name="folder">Gets <c>grains.db</c> and <c>ledger.db</c>; a folder that has them is refused.</param>
    /// <param name="now">What a restored copy says about its age.</param>
    /// <param name="cancellationToken">Ends it between the files.</param>
    /// <exception cref="InvalidOperationException">Nothing to copy, or something in the way.</exception>
    public static async Task MakeAsync(StorageOptions storage, string folder, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var copy = new StorageOptions { DataDirectory = folder };
        Require(!File.Exists(SqliteFiles.Grains(copy)) && !File.Exists(SqliteFiles.Ledger(copy)), $"{folder} holds databases already: give another folder.");
        Require(File.Exists(SqliteFiles.Ledger(storage)), $"There is no {SqliteFiles.Ledger(storage)}: give the server's Storage:DataDirectory.");
        CreateDirectory(folder);
        var because = string.Create(CultureInfo.InvariantCulture, $"it is the copy that \"backup\" made at {now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        // Campaigns first, ledger second. What happens between the two copies then looks like a crash before the campaign's own state was written, from which
        // every step recovers. The other way round a running campaign could find no audience and end, and ids would be given twice.
        await CopyAsync(SqliteFiles.Grains(storage), SqliteFiles.Grains(copy), null, cancellationToken);
        await CopyAsync(SqliteFiles.Ledger(storage), SqliteFiles.Ledger(copy), because, cancellationToken);
    }

    private static async Task CopyAsync(string from, string to, string? because, CancellationToken cancellationToken)
    {
        var partial = $"{to}.partial";
        File.Delete(partial);
        MakePrivate(partial);
        await using (var source = new SqliteConnection(SqliteFiles.ConnectionString(from)))
        await using (var copy = new SqliteConnection(SqliteFiles.ConnectionString(partial)))
        {
            await source.OpenAsync(cancellationToken);
            await copy.OpenAsync(cancellationToken);
            // All pages in one step, so in one reading transaction: a copy in several starts anew whenever somebody writes.
            source.BackupDatabase(copy);
            await using var session = new LedgerSession(copy, StorageEngine.Sqlite);
            // One file, without a log beside it that could be left behind.
            await session.FirstAsync("pragma journal_mode = delete", static row => row.GetString(0));
            await (because is null ? Task.CompletedTask : RestoreMark.SetAsync(session, because));
        }

        File.Move(partial, to);
    }

    /// <summary>Before the first address is in it.</summary>
    private static void MakePrivate(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        new FileStream(path, options).Dispose();
    }

    private static void CreateDirectory(string path)
    {
        // Everybody's address is in it.
        _ = OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(path)
            : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
