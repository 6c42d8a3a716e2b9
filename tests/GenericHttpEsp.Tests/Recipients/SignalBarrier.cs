using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Tests.Recipients;

/// <summary>A barrier that a test opens and closes; no dispatcher stands behind it.</summary>
internal sealed class SignalBarrier : IForbidBarrier
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _closed;
    private int _waits;

    public int Waits => Volatile.Read(ref _waits);

    /// <summary>Completes when somebody waits.</summary>
    public Task Reached => _reached.Task;

    public void Close() => _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _closed?.TrySetResult();

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waits);
        _reached.TrySetResult();
        return _closed?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }
}
