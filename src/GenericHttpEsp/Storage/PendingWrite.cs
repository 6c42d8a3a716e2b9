namespace GenericHttpEsp.Storage;

/// <summary>A write that waits for the writer.</summary>
internal interface IPendingWrite
{
    int Rows { get; }

    /// <summary>Writes with the same set run in one call when they wait behind each other; null runs alone.</summary>
    IWriteSet? Set { get; }

    bool CancelIfAsked();

    /// <summary>Its key is none of those of the members from <paramref name="begins"/> on.</summary>
    bool IsDifferent(List<IPendingWrite> members, int begins);

    /// <param name="session">In a transaction.</param>
    /// <param name="members">This one first, then others of the same set.</param>
    Task ExecuteAsync(LedgerSession session, IReadOnlyList<IPendingWrite> members);

    void Complete();

    void Fail(Exception failure);
}

/// <summary>Which writes belong together.</summary>
internal interface IWriteSet
{
    WriteKind Kind { get; }
}

/// <summary>How writes of one sort run as a set.</summary>
/// <param name="Kind">Which queue they wait in.</param>
/// <param name="Key">No two of a set have the same.</param>
/// <param name="Run">One result for each item, in order. May run again with any part of the items.</param>
internal sealed record SetWrite<TItem, TResult>(
    WriteKind Kind, Func<TItem, long> Key, Func<LedgerSession, IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> Run) : IWriteSet;

internal class PendingWrite<T>(Func<LedgerSession, Task<T>>? work, int rows, CancellationToken cancellationToken) : IPendingWrite
{
    // The caller goes on elsewhere: the lane must not run what comes after the caller's await.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Completion => _completion.Task;

    public int Rows => rows;

    public virtual IWriteSet? Set => null;

    protected T Result { get; set; } = default!;

    public bool CancelIfAsked()
    {
        // Asked once: cancelled between two looks, it would be taken out of its queue and never be completed.
        if (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }

        _completion.TrySetCanceled(cancellationToken);
        return true;
    }

    public virtual bool IsDifferent(List<IPendingWrite> members, int begins) => true;

    public virtual async Task ExecuteAsync(LedgerSession session, IReadOnlyList<IPendingWrite> members) => Result = await work!(session);

    public void Complete() => _completion.TrySetResult(Result);

    public void Fail(Exception failure) => _completion.TrySetException(failure);
}

internal sealed class PendingSetWrite<TItem, TResult>(SetWrite<TItem, TResult> set, TItem item, int rows, CancellationToken cancellationToken)
    : PendingWrite<TResult>(null, rows, cancellationToken)
{
    private readonly long _key = set.Key(item);

    public override IWriteSet Set => set;

    public override bool IsDifferent(List<IPendingWrite> members, int begins)
    {
        for (var i = begins; i < members.Count; i++)
        {
            if (((PendingSetWrite<TItem, TResult>)members[i])._key == _key)
            {
                return false;
            }
        }

        return true;
    }

    public override async Task ExecuteAsync(LedgerSession session, IReadOnlyList<IPendingWrite> members)
    {
        var same = members.Cast<PendingSetWrite<TItem, TResult>>().ToList();
        var results = await set.Run(session, same.ConvertAll(static member => member.Item));
        for (var i = 0; i < same.Count; i++)
        {
            same[i].Result = results[i];
        }
    }

    private TItem Item => item;
}
