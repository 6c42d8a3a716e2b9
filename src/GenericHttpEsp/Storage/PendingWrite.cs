namespace GenericHttpEsp.Storage;

/// <summary>A write that waits for the writer.</summary>
internal interface IPendingWrite
{
    int Rows { get; }

    bool CancelIfAsked();

    Task ExecuteAsync(LedgerSession session);

    void Complete();

    void Fail(Exception failure);
}

internal sealed class PendingWrite<T>(Func<LedgerSession, Task<T>> work, int rows, CancellationToken cancellationToken) : IPendingWrite
{
    // The caller goes on elsewhere: the lane must not run what comes after the caller's await.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Completion => _completion.Task;

    public int Rows => rows;

    public bool CancelIfAsked()
    {
        if (cancellationToken.IsCancellationRequested)
        {
            _completion.TrySetCanceled(cancellationToken);
        }

        return cancellationToken.IsCancellationRequested;
    }

    public async Task ExecuteAsync(LedgerSession session) => _result = await work(session);

    public void Complete() => _completion.TrySetResult(_result);

    public void Fail(Exception failure) => _completion.TrySetException(failure);
}
