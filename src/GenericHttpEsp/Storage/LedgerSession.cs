using System.Collections;
using System.Data.Common;
using System.Globalization;
using System.Text;

namespace GenericHttpEsp.Storage;

/// <summary>
/// One connection with its prepared statements, lent to one piece of work at a time. Parameters are named <c>@name</c> on both engines; arrays of ids
/// or keys go through <see cref="Any"/> and <see cref="AnyKey"/>.
/// </summary>
internal sealed class LedgerSession(DbConnection connection, StorageEngine engine) : IAsyncDisposable
{
    // SQL text is made of literals, so the number of statements is bounded by the source; the bound stops a mistake from leaking memory.
    private const int StatementsMax = 512;
    private readonly Dictionary<string, DbCommand> _statements = [];

    public StorageEngine Engine => engine;

    public DbConnection Connection => connection;

    public DbTransaction? Transaction { get; set; }

    /// <summary>Monotonic timestamp (<see cref="TimeProvider.GetTimestamp"/>) taken before the BEGIN of the running transaction.</summary>
    public long BeganAt { get; set; }

    /// <summary>Called with each statement before it runs; a test makes the n-th one fail.</summary>
    public Action<string>? BeforeStatement { get; init; }

    public bool IsSqlite => engine == StorageEngine.Sqlite;

    /// <summary>The database's clock in Unix milliseconds, read when the expression runs and not when the transaction began.</summary>
    public string Now => IsSqlite
        ? "cast(unixepoch('subsec') * 1000 as integer)"
        : "(extract(epoch from clock_timestamp()) * 1000)::bigint";

    /// <summary><c>for update</c> where rows can be locked singly; SQLite's writer is alone.</summary>
    public string ForUpdate => IsSqlite ? "" : "for update";

    /// <summary>Membership in an array of ids: <c>$"where id {session.Any("@ids")}"</c>.</summary>
    public string Any(string parameter) => IsSqlite ? $"in (select value from json_each({parameter}))" : $"= any({parameter})";

    /// <summary>Membership in an array of byte keys.</summary>
    public string AnyKey(string parameter) => IsSqlite ? $"in (select unhex(value) from json_each({parameter}))" : $"= any({parameter})";

    /// <summary>Rows of an array of ids, as table <c>t(value)</c>.</summary>
    public string Rows(string parameter) => IsSqlite ? $"json_each({parameter}) as t" : $"unnest({parameter}) as t(value)";

    public Task<int> ExecuteAsync(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Prepare(sql, parameters).ExecuteNonQueryAsync();

    public Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        ReadAllAsync(Prepare(sql, parameters), map);

    /// <summary>The first row, or the default of <typeparamref name="T"/> when there is none.</summary>
    public Task<T?> FirstAsync<T>(string sql, Func<DbDataReader, T> map, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        ReadFirstAsync(Prepare(sql, parameters), map);

    public DbCommand Prepare(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        BeforeStatement?.Invoke(sql);
        if (_statements.TryGetValue(sql, out var command) && !IsSqlite && HasOtherTypes(command, parameters))
        {
            // A null before a text, say. Npgsql would go on sending the parameters it has prepared with, whatever is put in their place.
            _statements.Remove(sql);
            command.Dispose();
            command = null;
        }

        if (command is null)
        {
            if (_statements.Count >= StatementsMax)
            {
                throw new InvalidOperationException($"More than {StatementsMax} different statements on one connection: is SQL built from input?");
            }

            command = connection.CreateCommand();
            command.CommandText = sql;
            _statements[sql] = command;
        }

        command.Transaction = Transaction;
        Bind(command, parameters);
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _statements.Values)
        {
            await command.DisposeAsync();
        }

        await connection.DisposeAsync();
    }

    private static async Task<List<T>> ReadAllAsync<T>(DbCommand command, Func<DbDataReader, T> map)
    {
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    private static async Task<T?> ReadFirstAsync<T>(DbCommand command, Func<DbDataReader, T> map)
    {
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? map(reader) : default;
    }

    private void Bind(DbCommand command, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        // A prepared statement keeps its parameters.
        var fresh = command.Parameters.Count != parameters.Length;
        if (fresh)
        {
            command.Parameters.Clear();
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            var value = IsSqlite ? ForSqlite(parameters[i].Value) : ForPostgres(parameters[i].Value);
            if (fresh)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = parameters[i].Name;
                parameter.Value = value;
                command.Parameters.Add(parameter);
            }
            else
            {
                command.Parameters[i].Value = value;
            }
        }
    }

    private static bool HasOtherTypes(DbCommand command, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (command.Parameters.Count != parameters.Length)
        {
            return true;
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            if (ForPostgres(parameters[i].Value).GetType() != command.Parameters[i].Value?.GetType())
            {
                return true;
            }
        }

        return false;
    }

    private static object ForPostgres(object? value) => value ?? DBNull.Value;

    private static object ForSqlite(object? value) => value switch
    {
        null => DBNull.Value,
        byte[] or string => value,
        byte[][] keys => JsonArray(keys, static (text, key) => text.Append('"').Append(Convert.ToHexString((byte[])key)).Append('"')),
        long[] ids => JsonArray(ids, static (text, id) => text.Append(CultureInfo.InvariantCulture, $"{(long)id}")),
        string[] words => System.Text.Json.JsonSerializer.Serialize(words),
        bool flag => flag ? 1L : 0L,
        _ => value,
    };

    private static string JsonArray(IEnumerable items, Func<StringBuilder, object, StringBuilder> append)
    {
        var text = new StringBuilder("[");
        foreach (var item in items)
        {
            append(text.Length > 1 ? text.Append(',') : text, item);
        }

        return text.Append(']').ToString();
    }
}
