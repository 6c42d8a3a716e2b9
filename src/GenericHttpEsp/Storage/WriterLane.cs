using System.Data.Common;
using System.Threading.Channels;

namespace GenericHttpEsp.Storage;

/// <summary>
/// One connection that gathers waiting writes into one transaction after the other, most urgent kind first, until time or rows run out. Started outside of any
/// grain, since a loop started inside a grain's activation captures the grain's scheduler and deadlocks.
/// </summary>
internal sealed partial class WriterLane : IAsyncDisposable
{
    private readonly WriterWork _work;
    private readonly ILogger _logger;
    private readonly WriteQueues _own;
    private readonly WriteQueues _shared;
    // One signal at most: who is woken takes until there is nothing left.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private readonly bool _isAlone;
    private WriteQueues? _takenFrom;
    private long _transactions;

    /// <param name="isAlone">
    /// Nothing is ever locked by others, so everything shares transactions. Beside other lanes what has an affinity and what has none do not: an unsubscribe
    /// must not wait for the lock that a claim waits for.
    /// </param>
    public WriterLane(WriterWork work, WriteQueues shared, bool isAlone)
    {
        (_work, _logger, _shared, _isAlone) = (work, work.Logger, shared, isAlone);
        _own = new WriteQueues(work.Options.PendingWritesMax);
        _running = Background.Run(RunAsync);
    }

    public long Transactions => Interlocked.Read(ref _transactions);

    public async ValueTask AddAsync(WriteKind kind, IPendingWrite pending, CancellationToken cancellationToken)
    {
        await _own.AddAsync(kind, pending, cancellationToken);
        Wake();
    }

    public void Wake() => _signal.Writer.TryWrite(true);

    /// <summary>Takes what still waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _own.Complete();
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
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
            await DropAsync(session);
        }
    }

    private async Task<IPendingWrite?> NextAsync()
    {
        while (true)
        {
            if (TryTake() is { } pending)
            {
                return pending;
            }

            try
            {
                await _signal.Reader.ReadAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return TryTake();
            }
        }
    }

    private IPendingWrite? TryTake() => TryTake(static _ => true);

    private IPendingWrite? TryTake(Predicate<WriteQueues> isWanted)
    {
        foreach (var kind in WriteQueues.Kinds)
        {
            foreach (var queues in (ReadOnlySpan<WriteQueues>)[_own, _shared])
            {
                if (isWanted(queues) && queues.TryTake(kind) is { } pending)
                {
                    _takenFrom = queues;
                    return pending;
                }
            }
        }

        return null;
    }

    private async Task<LedgerSession?> RunGroupAsync(LedgerSession? session, IPendingWrite first)
    {
        // Filled before anything runs: whatever throws, all whom it concerns are in here.
        var members = new List<IPendingWrite>();
        try
        {
            session ??= await _work.Open(CancellationToken.None);
            await RunTransactionAsync(session, async () =>
            {
                await FillAsync(session, first, members);
                return members;
            });
            return session;
        }
        catch (CommitUnknownException unknown)
        {
            LogCommitUnknown(unknown.InnerException!, members.Count);
            members.ForEach(member => member.Fail(unknown));
        }
        catch (Exception failure) when (members.Count <= 1)
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

    private async Task RunTransactionAsync(LedgerSession session, Func<Task<List<IPendingWrite>>> run)
    {
        session.BeganAt = _work.Time.GetTimestamp();
        await using var transaction = await _work.Begin(session, CancellationToken.None);
        session.Transaction = transaction;
        Interlocked.Increment(ref _transactions);
        var members = await run();
        var committed = await _work.Committing(session);
        await CommitAsync(transaction);
        committed();
        members.ForEach(static member => member.Complete());
    }

    private async Task FillAsync(LedgerSession session, IPendingWrite first, List<IPendingWrite> members)
    {
        var rows = 0;
        var next = first;
        var begun = _takenFrom;
        do
        {
            var begins = members.Count;
            members.Add(next);
            rows += next.Rows;
            while (rows < _work.Options.TransactionRowsMax && next.Set is { } set && TryTakeMore(set, members, begins) is { } more)
            {
                members.Add(more);
                rows += more.Rows;
            }

            await next.ExecuteAsync(session, members.GetRange(begins, members.Count - begins));
        }
        while (rows < _work.Options.TransactionRowsMax
            && _work.Time.GetElapsedTime(session.BeganAt).TotalMilliseconds < _work.Options.TransactionMilliseconds
            && (next = TryTake(queues => _isAlone || queues == begun)!) is not null);
    }

    /// <summary>The next in the queue, if it belongs to the set that begins there: then it runs in the same statements. Sets always have an affinity.</summary>
    private IPendingWrite? TryTakeMore(IWriteSet set, List<IPendingWrite> members, int begins) =>
        _own.TryTakeIf(set.Kind, next => next.Set == set && next.IsDifferent(members, begins));

    private async Task<LedgerSession?> RunSingleAsync(LedgerSession? session, IPendingWrite member)
    {
        try
        {
            session ??= await _work.Open(CancellationToken.None);
            await RunTransactionAsync(session, async () =>
            {
                await member.ExecuteAsync(session, [member]);
                return [member];
            });
            return session;
        }
        catch (Exception failure)
        {
            member.Fail(failure);
            return await DropAsync(session);
        }
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

    /// <summary>Never fails: members of a group still wait for what comes after.</summary>
    private async Task<LedgerSession?> DropAsync(LedgerSession? session)
    {
        try
        {
            await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        catch (Exception failure)
        {
            LogLaneBroke(failure);
        }

        return null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Commit of {Members} writes failed; whether they happened is unknown")]
    private partial void LogCommitUnknown(Exception failure, int members);

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of the writer broke in an unexpected way; going on with a new one")]
    private partial void LogLaneBroke(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A group of {Members} writes failed and is repeated one by one")]
    private partial void LogGroupFailed(Exception failure, int members);
}
