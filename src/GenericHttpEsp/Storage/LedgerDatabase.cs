using System.Data.Common;

namespace GenericHttpEsp.Storage;

/// <summary>
/// The database of profiles, subscriptions, audiences, batches and events. Writes of concurrent callers share transactions (group commit); an answer is
/// given after the commit, never before. Work may run more than once (a failed group is repeated member by member): it must build its result anew.
/// </summary>
internal abstract class LedgerDatabase : IAsyncDisposable
{
    private readonly GroupCommit _writer;
    // What keeps a provider going (grants, leases) must not wait behind eight slow reports.
    private const int AloneMax = 4;
    private readonly SemaphoreSlim _alone = new(AloneMax);
    private readonly SemaphoreSlim _readers;
    private readonly System.Collections.Concurrent.ConcurrentBag<LedgerSession> _idle = [];
    private bool _disposed;

    protected LedgerDatabase(StorageEngine engine, StorageOptions options, TimeProvider time, int lanes, ILogger logger)
    {
        Engine = engine;
        _readers = new SemaphoreSlim(options.ReadersMax);
        _writer = new GroupCommit(new WriterWork(OpenWriterAsync, BeginAsync, CommittingAsync, options, time, logger), lanes);
    }

    public StorageEngine Engine { get; }

    /// <summary>The database has forgotten what it had acknowledged: so must whoever keeps something of it in memory.</summary>
    public event Action? WentBack;

    /// <summary>Called with each statement before it runs, on sessions opened after it was set.</summary>
    public Action<string>? BeforeStatement { get; set; }

    /// <summary>Transactions begun by the writer since the start.</summary>
    public long Transactions => _writer.Transactions;

    /// <summary>Runs in a shared transaction; completes when it is durable.</summary>
    /// <param name="kind">Which queue it waits in.</param>
    /// <param name="work">Statements on the session; no transaction control.</param>
    /// <param name="rows">About how many rows it touches.</param>
    /// <param name="cancellationToken">Ends the wait as long as it has not begun.</param>
    /// <exception cref="CommitUnknownException">COMMIT failed: the work may or may not have happened.</exception>
    public Task<T> WriteAsync<T>(WriteKind kind, Func<LedgerSession, Task<T>> work, int rows = 1, CancellationToken cancellationToken = default) =>
        _writer.RunAsync(kind, work, rows, null, cancellationToken);

    /// <summary>The same for writes that lock the same rows: those with one <paramref name="affinity"/> never run beside each other in this process.</summary>
    public Task<T> WriteAsync<T>(
        WriteKind kind, Func<LedgerSession, Task<T>> work, int rows, long affinity, CancellationToken cancellationToken = default) =>
        _writer.RunAsync(kind, work, rows, affinity, cancellationToken);

    /// <summary>The same for writes that run as a set with others that wait.</summary>
    public Task<TResult> WriteAsync<TItem, TResult>(
        SetWrite<TItem, TResult> set, TItem item, int rows, long affinity, CancellationToken cancellationToken = default) =>
        _writer.RunAsync(set, item, rows, affinity, cancellationToken);

    /// <summary>Reads committed rows on a connection of its own.</summary>
    public Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read, CancellationToken cancellationToken = default) =>
        LendAsync(_readers, read, cancellationToken);

    private async Task<T> LendAsync<T>(SemaphoreSlim places, Func<LedgerSession, Task<T>> read, CancellationToken cancellationToken)
    {
        await places.WaitAsync(cancellationToken);
        LedgerSession? session = null;
        try
        {
            // SQLite reads block their thread: keep them off the grain's scheduler.
            return await Background.Run(
                async () =>
                {
                    session = _idle.TryTake(out var idle) ? idle : await OpenSessionAsync(cancellationToken);
                    return await read(session);
                },
                cancellationToken);
        }
        catch (Exception) when (session is not null)
        {
            await session.DisposeAsync();
            session = null;
            throw;
        }
        finally
        {
            if (session is not null)
            {
                _idle.Add(session);
            }

            places.Release();
        }
    }

    /// <summary>Like <see cref="ReadAsync"/>, but all statements see one moment.</summary>
    public Task<T> SnapshotAsync<T>(Func<LedgerSession, Task<T>> read, CancellationToken cancellationToken = default) => ReadAsync(
        async session =>
        {
            await using var transaction = await BeginSnapshotAsync(session, cancellationToken);
            session.Transaction = transaction;
            try
            {
                return await read(session);
            }
            finally
            {
                session.Transaction = null;
            }
        },
        cancellationToken);

    /// <summary>
    /// After rows were deleted for good: returns when no file of ours holds them any more. On PostgreSQL the rows are gone from every dump; its log and dead
    /// rows are the server's own.
    /// </summary>
    public virtual Task ForgetDeletedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Runs in a transaction that no other work shares, for rows that others wait for: in a shared one they would be locked in the order of arrival. SQLite
    /// has one writer and no such danger: there it is a write like the others. What it writes may be lost by a database that goes
    /// back without anybody noticing: only for what is harmless to lose.
    /// </summary>
    public Task<T> WriteAloneAsync<T>(WriteKind kind, Func<LedgerSession, Task<T>> work, CancellationToken cancellationToken = default) =>
        Engine == StorageEngine.Sqlite
            ? WriteAsync(kind, work, cancellationToken: cancellationToken)
            : LendAsync(_alone, session => CommitAsync(session, work, cancellationToken), cancellationToken);

    private async Task<T> CommitAsync<T>(LedgerSession session, Func<LedgerSession, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(session, cancellationToken);
        session.Transaction = transaction;
        try
        {
            var result = await work(session);
            await transaction.CommitAsync(cancellationToken);
            return result;
        }
        finally
        {
            session.Transaction = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _writer.DisposeAsync();
        while (_idle.TryTake(out var session))
        {
            await session.DisposeAsync();
        }

        _readers.Dispose();
        _alone.Dispose();
        await CloseAsync();
    }

    /// <summary>Opens a connection that is fit for writing and for reading.</summary>
    public abstract Task<LedgerSession> OpenSessionAsync(CancellationToken cancellationToken);

    /// <summary>A connection that is fit for many changes.</summary>
    protected virtual Task<LedgerSession> OpenWriterAsync(CancellationToken cancellationToken) => OpenSessionAsync(cancellationToken);

    protected abstract Task<DbTransaction> BeginAsync(LedgerSession session, CancellationToken cancellationToken);

    protected abstract Task<DbTransaction> BeginSnapshotAsync(LedgerSession session, CancellationToken cancellationToken);

    /// <summary>Right before a commit, in its transaction. The answer runs when it is durable.</summary>
    protected virtual Task<Action> CommittingAsync(LedgerSession session) => Task.FromResult(static () => { });

    /// <summary>After it was marked: see <see cref="WentBack"/>.</summary>
    public void TellWentBack() => WentBack?.Invoke();

    protected virtual ValueTask CloseAsync() => ValueTask.CompletedTask;
}
