using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>The server, or the way to it, is gone.</summary>
internal sealed class SimulatedDbException(string message, bool transient) : DbException(message)
{
    public override bool IsTransient => transient;
}

/// <summary>A connection on which every statement is an await of the process, and may fail.</summary>
internal sealed class SimulatedConnection : DbConnection
{
    private readonly SimulatedServer _server;
    private readonly bool _troubled;

    public SimulatedConnection(SimulatedServer server, Node node, SqliteConnection inner, bool troubled)
    {
        (_server, Node, Inner, _troubled) = (server, node, inner, troubled);
        node.OnEnd(Break);
        node.OnSilence(() =>
        {
            if (Writing is not null)
            {
                node.World.Tell($"the server ends a transaction of {node.Name}");
                Break();
            }
        });
    }

    public Node Node { get; }

    public SqliteConnection Inner { get; }

    public SimulatedServer Server => _server;

    public SimulatedTransaction? Writing { get; set; }

    public bool IsBroken { get; private set; }

    [AllowNull]
    public override string ConnectionString { get; set; } = "";

    public override string Database => "simulated";

    public override string DataSource => "simulated";

    public override string ServerVersion => "1";

    public override ConnectionState State => IsBroken ? ConnectionState.Broken : ConnectionState.Open;

    /// <summary>The server ends the session: its transaction is undone.</summary>
    public void Break()
    {
        if (!IsBroken)
        {
            IsBroken = true;
            Writing?.Undo();
            _server.Leave(this);
            Inner.Dispose();
        }
    }

    public void ThrowIfBroken()
    {
        if (IsBroken)
        {
            throw new SimulatedDbException("The connection is broken.", transient: true);
        }
    }

    /// <summary>An await before a statement reaches the server.</summary>
    public async Task StepAsync()
    {
        await Node.YieldAsync();
        ThrowIfBroken();
        if (IsTrouble())
        {
            Node.World.Tell($"{Node.Name}: a statement fails");
            if (Node.World.Chance(0.5))
            {
                Break();
            }

            throw new SimulatedDbException("The statement failed.", Node.World.Chance(0.7));
        }
    }

    public bool IsTrouble() => _troubled && _server.Trouble > 0 && Node.World.Chance(_server.Trouble);

    public SimulatedTransaction BeginSnapshot()
    {
        ThrowIfBroken();
        return new SimulatedTransaction(this, Inner.BeginTransaction(deferred: true), isWriting: false);
    }

    public override void Open()
    {
    }

    public override void Close() => Break();

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
    {
        Node.World.Whisper($"{Node.Name}: begin");
        await StepAsync();
        await _server.EnterAsync(this);
        if (IsBroken)
        {
            _server.Leave(this);
            ThrowIfBroken();
        }

        return Writing = new SimulatedTransaction(this, Inner.BeginTransaction(isolationLevel), isWriting: true);
    }

    protected override DbCommand CreateDbCommand() => new SimulatedCommand(this, Inner.CreateCommand());

    protected override void Dispose(bool disposing)
    {
        // Not from a finalizer: that is another thread, and the engine's connections are not safe for two.
        if (disposing)
        {
            Break();
        }

        base.Dispose(disposing);
    }
}

/// <summary>A transaction whose COMMIT may fail before it, after it, or between it and its answer.</summary>
internal sealed class SimulatedTransaction(SimulatedConnection connection, SqliteTransaction inner, bool isWriting) : DbTransaction
{
    private bool _isOver;

    public SqliteTransaction Inner => inner;

    public override IsolationLevel IsolationLevel => IsolationLevel.Serializable;

    protected override DbConnection DbConnection => connection;

    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        connection.Node.World.Whisper($"{connection.Node.Name}: commit");
        await connection.Node.YieldAsync();
        connection.ThrowIfBroken();
        var fails = connection.IsTrouble();
        if (!fails || connection.Node.World.Chance(0.5))
        {
            inner.Commit();
            Leave();
        }

        if (fails)
        {
            connection.Node.World.Tell($"{connection.Node.Name}: the answer to a COMMIT is lost{(_isOver ? "; it happened" : "")}");
            connection.Break();
            throw new SimulatedDbException("The answer to COMMIT was lost.", transient: true);
        }

        await connection.Node.YieldAsync();
        connection.ThrowIfBroken();
    }

    public override void Commit() => throw new NotSupportedException();

    public override void Rollback() => Undo();

    public void Undo()
    {
        if (!_isOver)
        {
            inner.Rollback();
            Leave();
        }
    }

    protected override void Dispose(bool disposing)
    {
        Undo();
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Leave()
    {
        _isOver = true;
        if (isWriting)
        {
            connection.Writing = null;
            connection.Server.Leave(connection);
        }
    }
}
