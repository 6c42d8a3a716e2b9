using Microsoft.Data.Sqlite;
using Npgsql;

namespace GenericHttpEsp.Benchmarks;

/// <summary>What a run left in its database.</summary>
internal static class LoadDatabase
{
    private const string Count = "select count(*) from batches";

    public static async Task<long> BatchesAsync(LoadOptions options, string folder, CancellationToken cancellationToken)
    {
        if (options.Postgres is { } postgres)
        {
            return await ScalarAsync(postgres, Count, cancellationToken);
        }

        await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "ledger.db")};Pooling=False");
        await connection.OpenAsync(cancellationToken);
        await using var count = connection.CreateCommand();
        count.CommandText = Count;
        return (long)(await count.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task<long> BytesAsync(LoadOptions options, string folder, CancellationToken cancellationToken) => options.Postgres is { } postgres
        ? await ScalarAsync(postgres, "select pg_database_size(current_database())", cancellationToken)
        : Directory.GetFiles(folder, "*.db*").Sum(static file => new FileInfo(file).Length);

    private static async Task<long> ScalarAsync(string postgres, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(postgres);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
