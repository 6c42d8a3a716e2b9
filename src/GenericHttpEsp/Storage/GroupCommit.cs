namespace GenericHttpEsp.Storage;

/// <summary>
/// Gathers waiting writes of concurrent callers into few transactions, over one or several lanes. Writes with the same affinity go through the same lane in the
/// order given, so that two lanes of this process never wait for each other's rows; the others go through whichever lane is free.
/// </summary>
internal sealed partial class GroupCommit : IAsyncDisposable
{
    private readonly WriteQueues _shared;
    private readonly WriterLane[] _lanes;
    private readonly ILogger _logger;

    public GroupCommit(WriterWork work, int lanes)
    {
        _logger = work.Logger;
        _shared = new WriteQueues(work.Options.PendingWritesMax);
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new WriterLane(work, _shared, isAlone: lanes == 1))];
    }

    public long Transactions => _lanes.Sum(static lane => lane.Transactions);

    public Task<T> RunAsync<T>(
        WriteKind kind, Func<LedgerSession, Task<T>> work, int rows, long? affinity, CancellationToken cancellationToken) =>
        RunAsync(kind, new PendingWrite<T>(work, rows, cancellationToken), affinity, cancellationToken);

    public Task<TResult> RunAsync<TItem, TResult>(
        SetWrite<TItem, TResult> set, TItem item, int rows, long affinity, CancellationToken cancellationToken) =>
        RunAsync(set.Kind, new PendingSetWrite<TItem, TResult>(set, item, rows, cancellationToken), affinity, cancellationToken);

    /// <summary>Takes what still waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _shared.Complete();
        await Task.WhenAll(_lanes.Select(static lane => lane.DisposeAsync().AsTask()));
        LogEnded(Transactions);
    }

    private async Task<T> RunAsync<T>(WriteKind kind, PendingWrite<T> pending, long? affinity, CancellationToken cancellationToken)
    {
        if (affinity is { } key)
        {
            await _lanes[(int)((ulong)key % (ulong)_lanes.Length)].AddAsync(kind, pending, cancellationToken);
        }
        else
        {
            await _shared.AddAsync(kind, pending, cancellationToken);
            Array.ForEach(_lanes, static lane => lane.Wake());
        }

        return await pending.Completion;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The writer ends after {Transactions} transactions")]
    private partial void LogEnded(long transactions);
}
