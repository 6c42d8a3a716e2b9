using System.Collections.Concurrent;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>
/// Partitions of <c>events</c> on PostgreSQL, one a month of run dates. Made outside of the writer's transactions: making one locks the whole table, and a
/// transaction that holds rows already would lock crosswise with another.
/// </summary>
internal sealed class EventPartitions(LedgerDatabase database)
{
    private const long LockId = 0x47_48_45_45_56;
    private readonly ConcurrentDictionary<long, bool> _made = new();

    public async Task EnsureAsync(IEnumerable<long> runDates, CancellationToken cancellationToken)
    {
        if (database.Engine == StorageEngine.Sqlite)
        {
            return;
        }

        foreach (var month in runDates.Select(static date => date / 100).Distinct().Where(month => !_made.ContainsKey(month)))
        {
            await MakeAsync(month, cancellationToken);
            _made[month] = true;
        }
    }

    private async Task MakeAsync(long month, CancellationToken cancellationToken)
    {
        var next = month % 100 == 12 ? month + 89 : month + 1;
        await using var session = await database.OpenSessionAsync(cancellationToken);
        await using var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
        session.Transaction = transaction;
        await session.ExecuteAsync($"select pg_advisory_xact_lock({LockId})");
        // Numbers only: a partition's bounds cannot be parameters.
        await session.ExecuteAsync($"create table if not exists events_{month} partition of events for values from ({month}01) to ({next}01)");
        await transaction.CommitAsync(cancellationToken);
        session.Transaction = null;
    }
}
