using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Wiring;

/// <summary>The verb <c>backup FOLDER</c>: copies the embedded databases, while a server runs on them or not. A server started on the copy begins with everything paused.</summary>
internal static class BackupProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length == 0 || args[0].StartsWith('-'))
        {
            await Console.Error.WriteLineAsync("Usage: GenericHttpEsp backup FOLDER [--Storage:DataDirectory=data]");
            return 2;
        }

        var configuration = ServeProgram.Configuration(args[1..]);
        if (configuration.GetConnectionString("Postgres") is { Length: > 0 })
        {
            await Console.Error.WriteLineAsync("This installation is on PostgreSQL: back it up with pg_dump or a base backup, and the key file once.");
            return 2;
        }

        var storage = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
        try
        {
            await SqliteBackup.MakeAsync(storage, args[0], TimeProvider.System.GetUtcNow(), CancellationToken.None);
            Console.WriteLine($"{SqliteFiles.Grains(storage)} and {SqliteFiles.Ledger(storage)} are copied to {args[0]}. The key file is not among them: keep it elsewhere, once.");
            return 0;
        }
        catch (Exception failure) when (StartRefusal.Explain(failure) is { } line)
        {
            await Console.Error.WriteLineAsync($"No backup: {line}");
            return 1;
        }
    }
}
