using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Storage;

/// <summary>Names of the embedded files and how they are opened.</summary>
internal static class SqliteFiles
{
    public static string Ledger(StorageOptions options) => Path.Combine(options.DataDirectory, "ledger.db");

    public static string Grains(StorageOptions options) => Path.Combine(options.DataDirectory, "grains.db");

    public static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWriteCreate,
        DefaultTimeout = 30,
        Pooling = false,
    }.ToString();
}
