using System.Data.Common;
using System.Threading.Channels;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Lanes that gather waiting writes into one transaction each, most urgent kind first, until time or rows run out. Started outside of any grain, since a
/// loop started inside a grain's activation captures the grain's scheduler and deadlocks.
/// </summary>
internal sealed partial class GroupCommit : IAsyncDisposable
{
    private readonly Func<CancellationToken, Task<LedgerSession>> _open;
    private readonly Func<LedgerSession, CancellationToken, Task<DbTransaction>> _begin;
    private readonly StorageOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<IPendingWrite>[] _queues;
    private readonly SemaphoreSlim _waiting = new(0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _lanes;
    private long _transactions;

    public GroupCommit(
        Func<CancellationToken, Task<LedgerSession>> open,
        Func<LedgerSession, CancellationToken, Task<DbTransaction>> begin,
        StorageOptions options,
        TimeProvider time,
        int lanes,
        ILogger logger)
    {
        (_open, _begin, _options, _time, _logger) = (open, begin, options, time, logger);
        _queues = [.. Enum.GetValues<WriteKind>().Select(_ => Channel.CreateBounded<IPendingWrite>(options.PendingWritesMax))];
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => Background.Run(RunLaneAsync))];
    }

    public long Transactions => Interlocked.Read(ref _transactions);

    public async Task<T> RunAsync<T>(WriteKind kind, Func<LedgerSession, Task<T>> work, int rows, CancellationToken cancellationToken)
    {
        var pending = new PendingWrite<T>(work, rows, cancellationToken);
        await _queues[(int)kind].Writer.WriteAsync(pending, cancellationToken);
        _waiting.Release();
        return await pending.Completion;
    }

    /// <summary>Takes what still waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var queue in _queues)
        {
            queue.Writer.TryComplete();
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(_lanes);
        _stopping.Dispose();
        LogEnded(Transactions);
    }

    private async Task RunLaneAsync()
    {
        LedgerSession? session = null;
        try
        {
            while (await NextAsync() is { } first)
            {
                try
                {
                    session = await RunGroupAsync(session, first);
                }
                catch (Exception failure)
                {
                    // Closing a broken connection failed: the lane must outlive it.
                    LogLaneBroke(failure);
                    first.Fail(failure);
                    session = null;
                }
            }
        }
        finally
        {
            if (session is not null)
            {
                await session.DisposeAsync();
            }
        }
    }

    private async Task<IPendingWrite?> NextAsync()
    {
        while (true)
        {
            try
            {
                await _waiting.WaitAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return TryTake();
            }

            if (TryTake() is { } pending)
            {
                return pending;
            }
        }
    }

    private IPendingWrite? TryTake()
    {
        foreach (var queue in _queues)
        {
            while (queue.Reader.TryRead(out var pending))
            {
                if (!pending.CancelIfAsked())
                {
                    return pending;
                }
            }
        }

        return null;
    }

    private async Task<LedgerSession?> RunGroupAsync(LedgerSession? session, IPendingWrite first)
    {
        var members = new List<IPendingWrite> { first };
        try
        {
            session ??= await _open(CancellationToken.None);
            await using var transaction = await BeginAsync(session);
            await first.ExecuteAsync(session);
            await GatherAsync(session, members, first.Rows);
            await CommitAsync(transaction);
            members.ForEach(static member => member.Complete());
            return session;
        }
        catch (CommitUnknownException unknown)
        {
            LogCommitUnknown(unknown.InnerException!, members.Count);
            members.ForEach(member => member.Fail(unknown));
        }
        catch (Exception failure) when (members.Count == 1)
        {
            first.Fail(failure);
        }
        catch (Exception failure)
        {
            LogGroupFailed(failure, members.Count);
            session = await DropAsync(session);
            foreach (var member in members)
            {
                session = await RunSingleAsync(session, member);
            }

            return session;
        }

        return await DropAsync(session);
    }

    private async Task GatherAsync(LedgerSession session, List<IPendingWrite> members, int rows)
    {
        // Members added here have run when they are completed: the one that throws is in the list too and is repeated with the others.
        while (rows < _options.TransactionRowsMax
            && _time.GetElapsedTime(session.BeganAt).TotalMilliseconds < _options.TransactionMilliseconds
            && TryTake() is { } next)
        {
            members.Add(next);
            rows += next.Rows;
            await next.ExecuteAsync(session);
        }
    }

    private async Task<LedgerSession?> RunSingleAsync(LedgerSession? session, IPendingWrite member)
    {
        try
        {
            session ??= await _open(CancellationToken.None);
            await using var transaction = await BeginAsync(session);
            await member.ExecuteAsync(session);
            await CommitAsync(transaction);
            member.Complete();
            return session;
        }
        catch (Exception failure)
        {
            member.Fail(failure);
            return await DropAsync(session);
        }
    }

    private async Task<DbTransaction> BeginAsync(LedgerSession session)
    {
        session.BeganAt = _time.GetTimestamp();
        session.Transaction = await _begin(session, CancellationToken.None);
        Interlocked.Increment(ref _transactions);
        return session.Transaction;
    }

    private static async Task CommitAsync(DbTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync();
        }
        catch (Exception failure)
        {
            throw new CommitUnknownException(failure);
        }
    }

    private static async Task<LedgerSession?> DropAsync(LedgerSession? session)
    {
        if (session is not null)
        {
            await session.DisposeAsync();
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The writer ends after {Transactions} transactions")]
    private partial void LogEnded(long transactions);

    [LoggerMessage(Level = LogLevel.Error, Message = "Commit of {Members} writes failed; whether they happened is unknown")]
    private partial void LogCommitUnknown(Exception failure, int members);

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of the writer broke in an unexpected way; going on with a new one")]
    private partial void LogLaneBroke(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A group of {Members} writes failed and is repeated one by one")]
    private partial void LogGroupFailed(Exception failure, int members);
}
