using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>A statement: first an await, then the real one on SQLite.</summary>
internal sealed class SimulatedCommand(SimulatedConnection connection, SqliteCommand inner) : DbCommand
{
    [AllowNull]
    public override string CommandText
    {
        get => inner.CommandText;
        set => inner.CommandText = connection.Server.Rewrite(value ?? "");
    }

    public override int CommandTimeout { get; set; }

    public override CommandType CommandType { get; set; } = CommandType.Text;

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    protected override DbConnection? DbConnection
    {
        get => connection;
        set => throw new NotSupportedException();
    }

    protected override DbParameterCollection DbParameterCollection => inner.Parameters;

    protected override DbTransaction? DbTransaction
    {
        get => null;
        set => inner.Transaction = (value as SimulatedTransaction)?.Inner;
    }

    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
    {
        connection.Node.World.Whisper($"{connection.Node.Name}: {CommandText.Split('\n')[0]}");
        await connection.StepAsync();
        return inner.ExecuteNonQuery();
    }

    public override void Cancel()
    {
    }

    public override void Prepare()
    {
    }

    public override int ExecuteNonQuery() => throw new NotSupportedException();

    public override object? ExecuteScalar() => throw new NotSupportedException();

    protected override DbParameter CreateDbParameter() => inner.CreateParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => throw new NotSupportedException();

    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
    {
        connection.Node.World.Whisper($"{connection.Node.Name}: {CommandText.Split('\n')[0]}");
        await connection.StepAsync();
        return inner.ExecuteReader(behavior);
    }

    protected override void Dispose(bool disposing)
    {
        // Not from a finalizer: that is another thread, and the connection's list of commands is not safe for two.
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
