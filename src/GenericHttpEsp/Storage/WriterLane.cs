using System.Threading.Channels;

namespace GenericHttpEsp.Storage;

/// <summary>
/// Gathers waiting writes into one transaction after the other of one connection, most urgent kind first, until time or rows run out. Started outside of any
/// grain, since a loop started inside a grain's activation captures the grain's scheduler and deadlocks.
/// </summary>
internal sealed class WriterLane : IAsyncDisposable
{
    private readonly WriterWork _work;
    private readonly WriterConnection _connection;
    private readonly WriteQueues _own;
    private readonly WriteQueues _shared;
    // One signal at most: who is woken takes until there is nothing left.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private readonly bool _isAlone;
    private WriteQueues? _takenFrom;

    /// <param name="isAlone">
    /// Nothing is ever locked by others, so everything shares transactions. Beside other lanes what has an affinity and what has none do not: an unsubscribe
    /// must not wait for the lock that a claim waits for.
    /// </param>
    public WriterLane(WriterWork work, WriteQueues shared, bool isAlone)
    {
        (_work, _shared, _isAlone) = (work, shared, isAlone);
        _own = new WriteQueues(work.Options.PendingWritesMax);
        _connection = new WriterConnection(work);
        _running = Background.Run(RunAsync);
    }

    public long Transactions => _connection.Transactions;

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
        try
        {
            while (await NextAsync() is { } first)
            {
                await _connection.RunAsync(first, (session, members) => FillAsync(session, first, members));
            }
        }
        finally
        {
            await _connection.DisposeAsync();
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
}
