using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>Asks for a slice of the current second: requests and messages wanted, under the limits given.</summary>
internal delegate Task<BudgetGrant> LeaseBudget(int requests, int messages, BudgetLimits limits, CancellationToken cancellationToken);

/// <summary>
/// One provider's budget in this silo. Requests wait in line, campaigns taking turns, for a concurrency slot, one request and their messages; slices are
/// leased for those who wait, a little ahead. What is not used when its second ends lapses, except what the first in line has gathered: so a batch larger
/// than a second's messages goes out after several seconds.
/// </summary>
internal sealed class ProviderBudget
{
    // A slice is at least a 20th of a second's limit, so that few calls are made, and at most a quarter, so that other silos get theirs.
    private const int SliceShareMin = 20;
    private const int SliceShareMax = 4;

    // The line may be long; what stands behind these is not served from the next slice.
    private const int TurnsCounted = 1000;

    private readonly Lock _lock = new();
    private readonly FairLine<BudgetTurn> _waiting = new();
    private readonly LeaseBudget _lease;
    private readonly ConcurrencySlots _slots;
    private readonly TimeProvider _time;
    private BudgetLimits _limits;
    private BudgetGrant _slice;
    private long _sliceAt;
    private bool _leasing;

    /// <param name="limits">The first ones.</param>
    /// <param name="lease">From the cluster's budget.</param>
    /// <param name="leaseSlots">From the cluster's concurrency; null when this silo is alone.</param>
    /// <param name="time">Slices and leases lapse by its monotonic clock.</param>
    public ProviderBudget(BudgetLimits limits, LeaseBudget lease, LeaseSlots? leaseSlots, TimeProvider time)
    {
        (_limits, _lease, _time) = (limits, lease, time);
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
            _limits = changed;
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

    /// <summary>Whoever is next goes on gathering from there, also with what is of an earlier second: it was granted and not used. Under the lock.</summary>
    private void TakeBack(BudgetTurn turn)
    {
        DropLapsed();
        _slice = turn.GiveBackTo(_slice);
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
        DropLapsed();
        Serve();
        if (!_leasing && _waiting.First is { Slot: not null })
        {
            // Off the caller's scheduler: a grain's would be held by this loop.
            _leasing = true;
            _ = Background.Run(LeaseAsync);
        }
    }

    private void DropLapsed()
    {
        if (_time.GetElapsedTime(_sliceAt).TotalMilliseconds >= _slice.MillisecondsLeft)
        {
            _slice = default;
        }
    }

    private void Serve()
    {
        while (_waiting.First is { } next)
        {
            next.Slot ??= _slots.TryTake();
            if (next.Slot is null)
            {
                return;
            }

            _slice = next.TakeFrom(_slice, _limits);
            if (!next.IsSatisfied(_limits))
            {
                return;
            }

            _waiting.RemoveFirst();
            next.Granted.TrySetResult();
        }
    }

    private async Task LeaseAsync()
    {
        while (Want() is var (requests, messages, limits))
        {
            BudgetGrant grant;
            try
            {
                grant = await _lease(requests, messages, limits, CancellationToken.None);
            }
            catch (Exception failure)
            {
                lock (_lock)
                {
                    FailAll(failure);
                    _leasing = false;
                }

                return;
            }

            lock (_lock)
            {
                // Even a grant whose second is over by now serves once: else a slow database would starve everybody.
                DropLapsed();
                _slice = grant with { Requests = grant.Requests + _slice.Requests, Messages = grant.Messages + _slice.Messages };
                _sliceAt = _time.GetTimestamp();
                Serve();
            }

            if ((requests > 0 && grant.Requests == 0) || (messages > 0 && grant.Messages == 0))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(grant.MillisecondsToMore + 1), _time);
            }
        }
    }

    private (int Requests, int Messages, BudgetLimits Limits)? Want()
    {
        lock (_lock)
        {
            if (_waiting.First is not { Slot: not null } first)
            {
                _leasing = false;
                return null;
            }

            // What the first in line has no use for yet is not asked for: it would lapse while he gathers the other kind.
            var messages = first.MessagesNeeded(_limits) <= 0 ? 0 : Slice(static (turn, limits) => turn.MessagesNeeded(limits), _limits.MessagesPerSecond);
            var requests = first.MessagesNeeded(_limits) > messages || first.RequestsNeeded(_limits) <= 0
                ? 0
                : Slice(static (turn, limits) => turn.RequestsNeeded(limits), _limits.RequestsPerSecond);
            return (requests, messages, _limits);
        }
    }

    private int Slice(Func<BudgetTurn, BudgetLimits, int> needed, double? limit) => (int)Math.Clamp(
        _waiting.All.Take(TurnsCounted).Sum(turn => (long)needed(turn, _limits)),
        1 + (limit!.Value / SliceShareMin),
        Math.Min(int.MaxValue, 1 + (limit.Value / SliceShareMax)));

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
