using System.Data.Common;
using System.Globalization;
using System.Reflection;

namespace GenericHttpEsp.Storage;

/// <summary>Numbered SQL files (<c>0001-name.sql</c>), applied in order, once each, each with its number in one transaction.</summary>
internal static class Migrations
{
    private const long LockId = 0x47_48_45_53_50;

    /// <param name="connection">Open connection to the database.</param>
    /// <param name="folder"><c>sqlite</c>, <c>sqlite-grains</c> or <c>postgres</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="last">The last file to apply.</param>
    /// <exception cref="NewerSchemaException">The database was made by a newer program; nothing was changed in it.</exception>
    public static async Task ApplyAsync(DbConnection connection, string folder, CancellationToken cancellationToken, int last = int.MaxValue)
    {
        var files = Files(folder);
        var postgres = folder == "postgres";
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (postgres)
        {
            // Several silos start at once: one migrates, the others find it done.
            await RunAsync(connection, transaction, $"select pg_advisory_xact_lock({LockId})", cancellationToken);
        }

        await RunAsync(connection, transaction, "create table if not exists schema_version (number integer not null primary key, name text not null)", cancellationToken);
        var current = await CurrentAsync(connection, transaction, cancellationToken);
        if (current > files.Count)
        {
            throw new NewerSchemaException(
                $"The database has schema version {current}; this program knows up to {files.Count}. Start the newer program, or restore a backup.");
        }

        foreach (var (number, name, sql) in files.Where(file => file.Number > current && file.Number <= last))
        {
            await RunAsync(connection, transaction, sql, cancellationToken);
            await RunAsync(connection, transaction, $"insert into schema_version (number, name) values ({number}, '{name}')", cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private static List<(int Number, string Name, string Sql)> Files(string folder)
    {
        var assembly = Assembly.GetExecutingAssembly();
        // The compiler turns the dash of a folder name into an underscore in resource names.
        var prefix = $"GenericHttpEsp.Storage.Migrations.{folder.Replace('-', '_')}.";
        var files = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => (Number: int.Parse(name.AsSpan(prefix.Length, 4), CultureInfo.InvariantCulture), Name: name[prefix.Length..^4], Sql: Text(assembly, name)))
            .OrderBy(file => file.Number)
            .ToList();
        if (files.Count == 0 || files[^1].Number != files.Count)
        {
            throw new InvalidOperationException($"Migrations of {folder} are not numbered 1 to {files.Count}.");
        }

        return files;
    }

    private static string Text(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    private static async Task<int> CurrentAsync(DbConnection connection, DbTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "select coalesce(max(number), 0) from schema_version";
        return Convert.ToInt32(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }

    private static async Task RunAsync(DbConnection connection, DbTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        // Rows that are carried over take as long as they take.
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>A newer program has migrated the database: starting this one again does not help.</summary>
internal sealed class NewerSchemaException(string message) : InvalidOperationException(message);
