using System.Data.Common;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// The verb <c>restored</c>: marks the configured database as restored, so that the next server on it begins with everything paused. For images of disks and of whole
/// PostgreSQL servers, which look like the original. A server that runs on it pauses everything at once.
/// </summary>
internal static class RestoredProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var (connection, engine) = Connect(ServeProgram.Configuration(args));
            await using var session = new LedgerSession(connection, engine);
            await connection.OpenAsync();
            await RestoreMark.SetAsync(session, "somebody said so with the verb \"restored\"");
            Console.WriteLine("Marked. A server on this database pauses every unfinished campaign before anything is sent; resume or stop them one by one.");
            return 0;
        }
        catch (Exception failure) when (StartRefusal.Explain(failure) is { } line)
        {
            await Console.Error.WriteLineAsync($"Not marked: {line}");
            return 1;
        }
    }

    private static (DbConnection Connection, StorageEngine Engine) Connect(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("Postgres") is { Length: > 0 } postgres)
        {
            return (new NpgsqlConnection(postgres), StorageEngine.PostgreSql);
        }

        var path = SqliteFiles.Ledger(configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions());
        return File.Exists(path)
            ? (new SqliteConnection(SqliteFiles.ConnectionString(path)), StorageEngine.Sqlite)
            : throw new InvalidOperationException($"There is no {path}: give Storage:DataDirectory, or ConnectionStrings:Postgres.");
    }
}
