namespace GenericHttpEsp.Sandbox;

/// <summary>Where held requests wait.</summary>
public enum SandboxHoldPoint
{
    /// <summary>The head is logged; no byte of the body is read.</summary>
    BeforeBody,

    /// <summary>The body is judged, logged and, if so, accepted; nothing is answered.</summary>
    BeforeAnswer,
}

/// <summary>Holds requests open until released.</summary>
internal sealed class SandboxGate(SandboxSignal signal)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _closed;
    private SandboxHoldPoint _point;
    private int _waiting;

    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Those already waiting keep waiting, wherever they are.</summary>
    public void Hold(SandboxHoldPoint point)
    {
        lock (_lock)
        {
            _point = point;
            _closed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Release()
    {
        TaskCompletionSource? closed;
        lock (_lock)
        {
            (closed, _closed) = (_closed, null);
        }

        closed?.TrySetResult();
    }

    public async Task PassAsync(SandboxHoldPoint point, CancellationToken cancellationToken)
    {
        Task wait;
        lock (_lock)
        {
            if (_closed is null || _point != point)
            {
                return;
            }

            wait = _closed.Task;
        }

        Interlocked.Increment(ref _waiting);
        signal.Pulse();
        try
        {
            await wait.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
            signal.Pulse();
        }
    }
}
