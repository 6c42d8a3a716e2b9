using System.Data;
using System.Data.Common;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>The database server of a seed: one SQLite file for all processes, one writing transaction at a time, and what can go wrong with it.</summary>
internal sealed class SimulatedServer(World world, string path)
{
    private readonly List<TaskCompletionSource> _waiting = [];
    private SimulatedConnection? _writer;

    public World World => world;

    public string Path => path;

    /// <summary>Probability that a statement or a COMMIT fails.</summary>
    public double Trouble { get; set; }

    /// <summary>Changes a statement's text: the deliberate breaks of single statements.</summary>
    public Func<string, string> Rewrite { get; set; } = static sql => sql;

    public async Task EnterAsync(SimulatedConnection connection)
    {
        while (_writer is not null)
        {
            var turn = new TaskCompletionSource();
            _waiting.Add(turn);
            await turn.Task;
        }

        _writer = connection;
    }

    public void Leave(SimulatedConnection connection)
    {
        if (_writer != connection)
        {
            return;
        }

        _writer = null;
        // All of them look again, and chance says who is first: those of ended processes never come.
        var waiting = _waiting.ToArray();
        _waiting.Clear();
        Array.ForEach(waiting, static turn => turn.SetResult());
    }

    public override string ToString() => $"{(_writer is null ? "idle" : $"written by {_writer.Node}")}, {_waiting.Count} wait";
}

/// <summary>A process's way to the database. Writer, queues and stores above it are the real ones.</summary>
internal sealed class SimulatedLedger(SimulatedServer server, Node node, int lanes, bool troubled = true)
    : LedgerDatabase(StorageEngine.Sqlite, new StorageOptions { ReadersMax = 200 }, node.Clock, lanes, NullLogger.Instance)
{
    public override async Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        await node.YieldAsync();
        var inner = new SqliteConnection($"Data Source={server.Path};Pooling=False");
        inner.Open();
        inner.CreateFunction("unixepoch", (string _) => server.World.Now.ToUnixTimeMilliseconds() / 1000.0);
        using var pragmas = inner.CreateCommand();
        pragmas.CommandText = "pragma synchronous = off; pragma cache_size = -2000;";
        pragmas.ExecuteNonQuery();
        return new LedgerSession(new SimulatedConnection(server, node, inner, troubled), StorageEngine.Sqlite);
    }

    protected override async Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken) =>
        await session.Connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);

    protected override Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken) =>
        Task.FromResult<DbTransaction>(((SimulatedConnection)session.Connection).BeginSnapshot());
}
