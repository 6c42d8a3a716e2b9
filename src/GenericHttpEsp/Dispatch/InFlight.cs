using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>What is on the wire from this silo: bounds sockets, memory and what a kill can make unknown. First come, first served.</summary>
internal sealed class InFlight(IOptions<DispatchOptions> options)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private int _requests;
    private int _records;

    public int Requests => Volatile.Read(ref _requests);

    public int Records => Volatile.Read(ref _records);

    /// <summary>Waits for a place; disposing the answer frees it.</summary>
    /// <param name="records">In the request; more than the silo's maximum counts as the maximum.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IDisposable> EnterAsync(int records, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(this, Math.Clamp(records, 1, options.Value.RecordsInFlightMax));
        lock (_lock)
        {
            waiter.Node = _waiting.AddLast(waiter);
            Admit();
        }

        await using (cancellationToken.Register(() => Cancel(waiter, cancellationToken)))
        {
            await waiter.Entered.Task;
        }

        return waiter;
    }

    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (waiter.Entered.TrySetCanceled(cancellationToken))
            {
                _waiting.Remove(waiter.Node!);
                Admit();
            }
        }
    }

    // Only the first may enter: a large batch is not overtaken for ever by small ones.
    private void Admit()
    {
        while (_waiting.First?.Value is { } next
            && _requests < options.Value.RequestsInFlightMax
            && _records + next.Records <= options.Value.RecordsInFlightMax)
        {
            _waiting.RemoveFirst();
            _requests++;
            _records += next.Records;
            next.Entered.TrySetResult();
        }
    }

    private void Leave(int records)
    {
        lock (_lock)
        {
            _requests--;
            _records -= records;
            Admit();
        }
    }

    private sealed class Waiter(InFlight owner, int records) : IDisposable
    {
        private int _left;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; }

        public int Records => records;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                owner.Leave(records);
            }
        }
    }
}
