using System.Collections.Concurrent;
using System.Globalization;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Partitions by run date on PostgreSQL, one a month, named <c>table_yyyymm</c>. Made and dropped outside of the writer's transactions: dropping locks the whole
/// table for a moment, and a transaction that holds rows already would lock crosswise with another.
/// </summary>
internal sealed class MonthPartitions
{
    internal const long LockId = 0x47_48_45_45_56;

    // Everybody who writes queues behind whoever waits for the whole table.
    private const string Impatient = "set local lock_timeout = '500ms'";
    private readonly LedgerDatabase _database;
    private readonly ConcurrentDictionary<(string Table, long Month), bool> _made = new();

    public MonthPartitions(LedgerDatabase database)
    {
        _database = database;
        database.WentBack += _made.Clear;
    }

    public async Task EnsureAsync(string table, IEnumerable<long> runDates, CancellationToken cancellationToken)
    {
        if (_database.Engine == StorageEngine.Sqlite)
        {
            return;
        }

        foreach (var month in runDates.Select(static date => date / 100).Distinct().Where(month => !_made.ContainsKey((table, month))))
        {
            await MakeAsync(table, month, cancellationToken);
            _made[(table, month)] = true;
        }
    }

    /// <summary>The months that have a partition, oldest first; none on SQLite.</summary>
    public async Task<List<long>> MonthsAsync(string table, CancellationToken cancellationToken)
    {
        if (_database.Engine == StorageEngine.Sqlite)
        {
            return [];
        }

        var names = await _database.ReadAsync(
            session => session.QueryAsync(
                "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass(@table) order by c.relname limit 10000",
                static row => row.GetString(0),
                ("@table", table)),
            cancellationToken);
        return names.ConvertAll(name => long.Parse(name.AsSpan(table.Length + 1), CultureInfo.InvariantCulture));
    }

    /// <summary>Detaches a month's partition and drops it, unless <paramref name="mayGo"/>, in the same transaction, says no.</summary>
    public async Task<bool> DropAsync(string table, long month, Func<LedgerSession, Task<bool>> mayGo, CancellationToken cancellationToken)
    {
        await using var session = await _database.OpenSessionAsync(cancellationToken);
        await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
        session.Transaction = transaction;
        await session.ExecuteAsync(Impatient);
        await session.ExecuteAsync($"select pg_advisory_xact_lock({LockId})");
        if (!await mayGo(session))
        {
            return false;
        }

        // Numbers only: names cannot be parameters.
        await session.ExecuteAsync($"alter table {table} detach partition {table}_{month}");
        await session.ExecuteAsync($"drop table {table}_{month}");
        await transaction.CommitAsync(cancellationToken);
        session.Transaction = null;
        _made.TryRemove((table, month), out _);
        return true;
    }

    private async Task MakeAsync(string table, long month, CancellationToken cancellationToken)
    {
        var next = month % 100 == 12 ? month + 89 : month + 1;
        await using var session = await _database.OpenSessionAsync(cancellationToken);
        if (await IsThereAsync(session, table, month))
        {
            return;
        }

        await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
        session.Transaction = transaction;
        // Silos that start together wait here for the first; only the table itself is not waited for.
        await session.ExecuteAsync($"select pg_advisory_xact_lock({LockId})");
        await session.ExecuteAsync(Impatient);
        if (await IsThereAsync(session, table, month))
        {
            return;
        }

        // Attached, not made in place: that would wait for every reader (a dump takes hours), and all writers would queue behind it.
        await session.ExecuteAsync($"create table {table}_{month} (like {table} including defaults including compression including storage)");
        await session.ExecuteAsync($"alter table {table} attach partition {table}_{month} for values from ({month}01) to ({next}01)");
        await transaction.CommitAsync(cancellationToken);
        session.Transaction = null;
    }

    // Read from the catalogue itself: a name that was not there stays so for to_regclass in this transaction, whoever has made it meanwhile.
    private static async Task<bool> IsThereAsync(LedgerSession session, string table, long month) =>
        await session.FirstAsync(
            "select 1 from pg_class where relname = @name and pg_table_is_visible(oid) limit 1", static row => row.GetInt32(0), ("@name", $"{table}_{month}")) == 1;
}
