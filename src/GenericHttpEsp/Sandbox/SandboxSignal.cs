namespace GenericHttpEsp.Sandbox;

/// <summary>Lets waiters look again whenever something happened, instead of sleeping.</summary>
internal sealed class SandboxSignal
{
    private TaskCompletionSource _next = Fresh();

    /// <summary>Completes at the next pulse. Take it before looking, or the pulse in between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Pulse() => Interlocked.Exchange(ref _next, Fresh()).TrySetResult();

    public async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = Next;
            if (condition())
            {
                return;
            }

            await next.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
