using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary><c>ledger.db</c>: WAL, every commit flushed, one writer, deleted content overwritten.</summary>
internal sealed class SqliteLedger(IOptions<StorageOptions> options, TimeProvider time, ILogger<SqliteLedger> logger)
    : LedgerDatabase(StorageEngine.Sqlite, options.Value, time, lanes: 1, logger)
{
    // The writer's cache holds what one transaction changes; readers go forward through pages once, and there are several of them.
    private const int WriterCacheKilobytes = 32_000;
    private const int ReaderCacheKilobytes = 2000;
    private const int TruncateAttemptsMax = 50;
    private static readonly TimeSpan TruncateEvery = TimeSpan.FromMilliseconds(40);
    private readonly TimeProvider _time = time;
    private long _wanted;
    private long _truncated;
    private long _triedAt;
    private readonly string _connectionString = SqliteFiles.ConnectionString(SqliteFiles.Ledger(options.Value));

    public override Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken) => OpenAsync(ReaderCacheKilobytes, cancellationToken);

    protected override Task<LedgerSession> OpenWriterAsync(CancellationToken cancellationToken) => OpenAsync(WriterCacheKilobytes, cancellationToken);

    private async Task<LedgerSession> OpenAsync(int cacheKilobytes, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var pragmas = connection.CreateCommand();
            pragmas.CommandText =
                $"pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -{cacheKilobytes}; pragma foreign_keys = off; pragma secure_delete = on;";
            await pragmas.ExecuteNonQueryAsync(cancellationToken);
            return new LedgerSession(connection, StorageEngine.Sqlite) { BeforeStatement = BeforeStatement };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The log still holds the pages as they were: it is moved into the file and cut to nothing. The writer does it between two transactions; while a
    /// reader stands on an older moment it cannot, and tries again. A reader that stays longer than the patience does not hold the caller: the writer goes on trying.
    /// </summary>
    public override async Task ForgetDeletedAsync(CancellationToken cancellationToken)
    {
        var mine = Interlocked.Increment(ref _wanted);
        for (var attempt = 0; attempt < TruncateAttemptsMax && Volatile.Read(ref _truncated) < mine; attempt++)
        {
            await Task.Delay(attempt == 0 ? TimeSpan.Zero : TruncateEvery, _time, cancellationToken);
            await WriteAsync(WriteKind.Forbid, static _ => Task.FromResult(0), cancellationToken: cancellationToken);
        }
    }

    // Serializable is BEGIN IMMEDIATE here: a transaction that reads first and writes later cannot fail half-way with SQLITE_BUSY.
    protected override async Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken)
    {
        await TruncateIfWantedAsync(session);
        return await session.Connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
    }

    private async Task TruncateIfWantedAsync(LedgerSession session)
    {
        var wanted = Volatile.Read(ref _wanted);
        if (Volatile.Read(ref _truncated) >= wanted || (_triedAt != 0 && _time.GetElapsedTime(_triedAt) < TruncateEvery))
        {
            return;
        }

        // The last one has ended; a checkpoint runs outside of any.
        session.Transaction = null;
        var done = await TryTruncateAsync(session);
        _triedAt = done ? 0 : _time.GetTimestamp();
        Volatile.Write(ref _truncated, done ? wanted : _truncated);
    }

    private static async Task<bool> TryTruncateAsync(LedgerSession session)
    {
        try
        {
            return await session.FirstAsync("pragma wal_checkpoint(truncate)", static row => row.GetInt64(0)) == 0;
        }
        catch (SqliteException)
        {
            // The writes that wait are not at fault: they go on, and the log is cut at another time.
            return false;
        }
    }

    // Deferred: takes no write lock; the first read fixes the snapshot.
    protected override Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)session.Connection).BeginTransaction(IsolationLevel.Serializable, deferred: true));
}
