using System.Data;
using System.Data.Common;
using Microsoft.Extensions.Options;
using Npgsql;

namespace GenericHttpEsp.Storage;

/// <summary>The ledger in PostgreSQL: READ COMMITTED, commits flushed, statements prepared by the driver.</summary>
internal sealed class PostgresLedger(NpgsqlDataSource source, IOptions<StorageOptions> options, TimeProvider time, ILogger<PostgresLedger> logger)
    : LedgerDatabase(StorageEngine.PostgreSql, options.Value, time, options.Value.WritersMax, logger)
{
    /// <summary>The operator's connection string, with statements prepared after their second use.</summary>
    public static string Settings(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 200, AutoPrepareMinUsages = 2 }.ToString();

    public static NpgsqlDataSource Source(string connectionString) => NpgsqlDataSource.Create(Settings(connectionString));

    public override async Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var check = new NpgsqlCommand("select current_setting('synchronous_commit'), pg_is_in_recovery()", connection);
            await using var reader = await check.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            Refuse(reader.GetString(0), reader.GetBoolean(1));
            return new LedgerSession(connection, StorageEngine.PostgreSql) { BeforeStatement = BeforeStatement };
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    protected override async Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);

    protected override async Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);

    private static void Refuse(string synchronousCommit, bool inRecovery)
    {
        if (synchronousCommit == "off")
        {
            throw new InvalidOperationException("PostgreSQL has synchronous_commit = off: a crash could lose claims and send mail twice. Set it to on.");
        }

        if (inRecovery)
        {
            throw new InvalidOperationException("This PostgreSQL server is a standby. Connect to the primary (Target Session Attributes=primary).");
        }
    }
}
