using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>What is on the wire from this silo: bounds sockets, memory and what a kill can make unknown. Campaigns take turns.</summary>
internal sealed class InFlight(IOptions<DispatchOptions> options)
{
    private readonly Lock _lock = new();
    private readonly FairLine<Waiter> _waiting = new();
    private int _requests;
    private int _records;

    public int Requests => Volatile.Read(ref _requests);

    public int Records => Volatile.Read(ref _records);

    /// <summary>Waits for a place; disposing the answer frees it.</summary>
    /// <param name="campaign">Whose request it is.</param>
    /// <param name="records">In the request; more than the silo's maximum counts as the maximum.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IDisposable> EnterAsync(long campaign, int records, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(this, campaign, Counted(records));
        lock (_lock)
        {
            waiter.Place = _waiting.Add(campaign, waiter);
            Admit();
        }

        await using (cancellationToken.Register(() => Cancel(waiter, cancellationToken)))
        {
            await waiter.Entered.Task;
        }

        return waiter;
    }

    /// <summary>A place if nobody has to wait for one, else null.</summary>
    public IDisposable? TryEnter(long campaign, int records)
    {
        var waiter = new Waiter(this, campaign, Counted(records));
        lock (_lock)
        {
            if (!_waiting.IsEmpty || !HasRoom(waiter))
            {
                return null;
            }

            Occupy(waiter);
            return waiter;
        }
    }

    private int Counted(int records) => Math.Clamp(records, 1, options.Value.RecordsInFlightMax);

    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (waiter.Entered.TrySetCanceled(cancellationToken))
            {
                _waiting.Remove(waiter.Campaign, waiter.Place!);
                Admit();
            }
        }
    }

    // Only the first may enter: a large batch is not overtaken for ever by small ones.
    private void Admit()
    {
        while (_waiting.First is { } next && HasRoom(next))
        {
            _waiting.RemoveFirst();
            Occupy(next);
            next.Entered.TrySetResult();
        }
    }

    private bool HasRoom(Waiter next) => _requests < options.Value.RequestsInFlightMax && _records + next.Records <= options.Value.RecordsInFlightMax;

    private void Occupy(Waiter next)
    {
        _requests++;
        _records += next.Records;
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

    private sealed class Waiter(InFlight owner, long campaign, int records) : IDisposable
    {
        private int _left;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Place { get; set; }

        public long Campaign => campaign;

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
