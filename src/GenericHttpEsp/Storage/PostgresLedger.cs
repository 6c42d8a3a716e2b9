using System.Data;
using System.Data.Common;
using Microsoft.Extensions.Options;
using Npgsql;

namespace GenericHttpEsp.Storage;

/// <summary>The ledger in PostgreSQL: READ COMMITTED, commits flushed, statements prepared by the driver. Every connection is looked at before it is used.</summary>
internal sealed partial class PostgresLedger(
    NpgsqlDataSource source, IOptions<StorageOptions> options, TimeProvider time, ILogger<PostgresLedger> logger)
    : LedgerDatabase(StorageEngine.PostgreSql, options.Value, time, options.Value.WritersMax, logger)
{
    private const int IdleInTransactionMilliseconds = 10_000;
    private static readonly TimeSpan ClockWarning = TimeSpan.FromSeconds(30);
    private readonly PostgresWitness _witness = new(options.Value.TrustsFailover);
    private readonly ILogger _logger = logger;
    private readonly TimeProvider _time = time;

    /// <summary>
    /// The operator's connection string, with statements prepared after their second use. A silo that is stopped in the middle of a transaction would hold its rows'
    /// locks for as long as it stands still: the server ends such a transaction.
    /// </summary>
    public static string Settings(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 200, AutoPrepareMinUsages = 2 };
        settings.Options = $"{settings.Options} -c idle_in_transaction_session_timeout={IdleInTransactionMilliseconds}".Trim();
        return settings.ToString();
    }

    public static NpgsqlDataSource Source(string connectionString) => NpgsqlDataSource.Create(Settings(connectionString));

    public override async Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        var session = new LedgerSession(connection, StorageEngine.PostgreSql) { BeforeStatement = BeforeStatement };
        try
        {
            await LookAsync(session, connection, cancellationToken);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    protected override async Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);

    protected override async Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);

    /// <summary>
    /// The position before our own commit record: it is durable with the commit, here and at every synchronous standby. What is flushed beyond may be half of
    /// somebody's record, which a crash may take back. A transaction that wrote nothing flushes nothing: it says nothing.
    /// </summary>
    protected override async Task<Action> CommittingAsync(LedgerSession session)
    {
        await using var command = new NpgsqlCommand(
            "select case when pg_current_xact_id_if_assigned() is null then 0 else (pg_current_wal_insert_lsn() - '0/0')::bigint end",
            (NpgsqlConnection)session.Connection,
            (NpgsqlTransaction?)session.Transaction);
        var position = (long)(await command.ExecuteScalarAsync())!;
        return () => _witness.Note(position);
    }

    private async Task LookAsync(LedgerSession session, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var before = _witness.Known;
        var (synchronous, inRecovery, now, place) = await AskAsync(connection, cancellationToken);
        Refuse(synchronous, inRecovery);
        if (_time is ClusterTime cluster && cluster.Follow(now) is var behind && behind.Duration() > ClockWarning)
        {
            LogClock(behind);
        }

        var because = _witness.Doubt(before, place);
        if (because is not null)
        {
            // Before anybody uses the connection: from here on nothing is claimed until the campaigns are paused.
            LogGoneBack(because);
            await RestoreMark.SetAsync(session, because);
            TellWentBack();
        }

        _witness.Accept(place, wentBack: because is not null);
    }

    private static async Task<(string Synchronous, bool InRecovery, DateTimeOffset Now, PostgresPlace Place)> AskAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // A standby has no position of its own, and says so with an error.
        await using var command = new NpgsqlCommand(
            """
            select current_setting('synchronous_commit'), r, clock_timestamp(), (select oid::bigint from pg_database where datname = current_database()),
              coalesce(to_regclass('settings')::oid::bigint, 0),
              case when r then 0 else ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int end,
              case when r then 0 else (pg_current_wal_flush_lsn() - '0/0')::bigint end
            from pg_is_in_recovery() as r
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (
            reader.GetString(0), reader.GetBoolean(1), reader.GetFieldValue<DateTimeOffset>(2),
            new PostgresPlace(reader.GetInt64(3), reader.GetInt64(4), reader.GetInt32(5), reader.GetInt64(6)));
    }

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

    [LoggerMessage(Level = LogLevel.Warning, Message = "This machine's clock is {Behind} behind the database's; the database's time is used")]
    private partial void LogClock(TimeSpan behind);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database has gone back: {Because}. All campaigns are paused")]
    private partial void LogGoneBack(string because);
}
