using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary><c>ledger.db</c>: WAL, every commit flushed, one writer.</summary>
internal sealed class SqliteLedger(IOptions<StorageOptions> options, TimeProvider time, ILogger<SqliteLedger> logger)
    : LedgerDatabase(StorageEngine.Sqlite, options.Value, time, lanes: 1, logger)
{
    private readonly string _connectionString = SqliteFiles.ConnectionString(SqliteFiles.Ledger(options.Value));

    public override async Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var pragmas = connection.CreateCommand();
            pragmas.CommandText = "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32000; pragma foreign_keys = off;";
            await pragmas.ExecuteNonQueryAsync(cancellationToken);
            return new LedgerSession(connection, StorageEngine.Sqlite) { BeforeStatement = BeforeStatement };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    // Serializable is BEGIN IMMEDIATE here: a transaction that reads first and writes later cannot fail half-way with SQLITE_BUSY.
    protected override async Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);

    // Deferred: takes no write lock; the first read fixes the snapshot.
    protected override Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)session.Connection).BeginTransaction(IsolationLevel.Serializable, deferred: true));
}
