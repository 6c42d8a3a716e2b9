namespace GenericHttpEsp.Dispatch;

/// <summary>
/// One provider's budget in this silo. Requests wait in line, campaigns taking turns, for a concurrency slot, one request and their messages; slices are
/// leased for those who wait, a little ahead. What is not used when its second ends lapses, except what the first in line has gathered: so a batch larger
/// than a second's messages goes out after several seconds.
/// </summary>
internal sealed class ProviderBudget
{
    private readonly Lock _lock = new();
    private readonly FairLine<BudgetTurn> _waiting = new();
    private readonly ConcurrencySlots _slots;
    private readonly BudgetSlice _slice;

    /// <param name="limits">The first ones.</param>
    /// <param name="lease">From the cluster's budget.</param>
    /// <param name="leaseSlots">From the cluster's concurrency; null when this silo is alone.</param>
    /// <param name="time">Slices and leases lapse by its monotonic clock.</param>
    public ProviderBudget(BudgetLimits limits, LeaseBudget lease, LeaseSlots? leaseSlots, TimeProvider time)
    {
        _slice = new BudgetSlice(limits, lease, _waiting, _lock, time, Serve, FailAll);
        _slots = new ConcurrencySlots(leaseSlots, _lock, time, Go, FailAll);
        _slots.Limit(limits);
    }

    /// <summary>Somebody waits: whether for long only the limits can tell.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (_lock)
            {
                return !_waiting.IsEmpty;
            }
        }
    }

    /// <summary>New limits, for those who wait too.</summary>
    public void Limit(BudgetLimits changed)
    {
        lock (_lock)
        {
            _slice.Limit(changed);
            _slots.Limit(changed);
            Go();
        }
    }

    /// <summary>Waits for the right to make one request with this many messages; disposing the answer frees the concurrency slot.</summary>
    /// <exception cref="Exception">The database cannot record the grant: nothing may be sent.</exception>
    public async ValueTask<BudgetTurn> TakeAsync(long campaign, int messages, CancellationToken cancellationToken)
    {
        var turn = new BudgetTurn(campaign, messages, this);
        lock (_lock)
        {
            turn.Place = _waiting.Add(campaign, turn);
            Go();
        }

        if (!turn.Granted.Task.IsCompletedSuccessfully)
        {
            await using var cancelling = cancellationToken.Register(() => Cancel(turn, cancellationToken));
            await turn.Granted.Task;
        }

        return turn;
    }

    public bool IsGood(BudgetTurn turn)
    {
        lock (_lock)
        {
            return turn.Slot is { } lease && _slots.IsGood(lease);
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _slots.Free();
            Go();
        }
    }

    public void LeaveUnused(BudgetTurn turn)
    {
        lock (_lock)
        {
            _slots.Free();
            TakeBack(turn);
        }
    }

    /// <summary>Gives the cluster's slots back; nothing is taken afterwards.</summary>
    public Task CloseAsync() => _slots.CloseAsync();

    private void Cancel(BudgetTurn turn, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!turn.Granted.TrySetCanceled(cancellationToken))
            {
                return;
            }

            _waiting.Remove(turn.Campaign, turn.Place!);
            FreeSlotOf(turn);
            TakeBack(turn);
        }
    }

    /// <summary>Under the lock.</summary>
    private void TakeBack(BudgetTurn turn)
    {
        _slice.TakeBack(turn);
        Serve();
        Go();
    }

    private void FreeSlotOf(BudgetTurn turn)
    {
        if (turn.Slot is not null)
        {
            turn.Slot = null;
            _slots.Free();
        }
    }

    /// <summary>Serves from the slice at hand, then sees to the next one. Under the lock.</summary>
    private void Go()
    {
        _slice.DropLapsed();
        Serve();
        _slice.SeeToLease();
    }

    /// <summary>Whoever has a slot and all that is needed goes, one after the other. Under the lock.</summary>
    private void Serve()
    {
        while (_waiting.First is { } next)
        {
            next.Slot ??= _slots.TryTake();
            if (next.Slot is null || !_slice.Serve(next))
            {
                return;
            }

            _waiting.RemoveFirst();
            next.Granted.TrySetResult();
        }
    }

    /// <summary>Under the lock.</summary>
    private void FailAll(Exception failure)
    {
        foreach (var turn in _waiting.All)
        {
            FreeSlotOf(turn);
            turn.Granted.TrySetException(failure);
        }

        _waiting.Clear();
    }
}
