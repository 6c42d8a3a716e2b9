using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>Asks for a slice of the current second: requests and messages wanted, under the limits given.</summary>
internal delegate Task<BudgetGrant> LeaseBudget(int requests, int messages, BudgetLimits limits, CancellationToken cancellationToken);

/// <summary>
/// One provider's budget in this silo. Senders wait in line for a concurrency slot, one request and their messages; slices are leased for those who wait, a
/// little ahead. What is not used when its second ends lapses, except what the first in line has gathered: so a batch larger than a second's messages goes
/// out after several seconds.
/// </summary>
internal sealed class ProviderBudget(BudgetLimits limits, LeaseBudget lease, TimeProvider time)
{
    // A slice is at least a 20th of a second's limit, so that few calls are made, and at most a quarter, so that other silos get theirs.
    private const int SliceShareMin = 20;
    private const int SliceShareMax = 4;

    private readonly Lock _lock = new();
    private readonly LinkedList<BudgetTurn> _waiting = [];
    private BudgetLimits _limits = limits;
    private BudgetGrant _slice;
    private long _sliceAt;
    private int _running;
    private bool _leasing;

    /// <summary>New limits, for those who wait too.</summary>
    public void Limit(BudgetLimits changed)
    {
        lock (_lock)
        {
            _limits = changed;
            Go();
        }
    }

    /// <summary>Waits for the right to make one request with this many messages; disposing the answer frees the concurrency slot.</summary>
    /// <exception cref="Exception">The database cannot record the grant: nothing may be sent.</exception>
    public async ValueTask<IDisposable> TakeAsync(int messages, CancellationToken cancellationToken)
    {
        var turn = new BudgetTurn(messages, Leave);
        lock (_lock)
        {
            turn.Node = _waiting.AddLast(turn);
            Go();
        }

        await using (cancellationToken.Register(() => Cancel(turn, cancellationToken)))
        {
            await turn.Granted.Task;
        }

        return turn;
    }

    private void Cancel(BudgetTurn turn, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (turn.Granted.TrySetCanceled(cancellationToken))
            {
                _waiting.Remove(turn.Node!);
                _running -= turn.HasSlot ? 1 : 0;
                Go();
            }
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            _running--;
            Go();
        }
    }

    /// <summary>Serves from the slice at hand, then sees to the next one. Under the lock.</summary>
    private void Go()
    {
        DropLapsed();
        Serve();
        if (!_leasing && _waiting.First?.Value is { HasSlot: true })
        {
            // Off the caller's scheduler: a grain's would be held by this loop.
            _leasing = true;
            _ = Background.Run(LeaseAsync);
        }
    }

    private void DropLapsed()
    {
        if (time.GetElapsedTime(_sliceAt).TotalMilliseconds >= _slice.MillisecondsLeft)
        {
            _slice = default;
        }
    }

    private void Serve()
    {
        while (_waiting.First?.Value is { } next)
        {
            if (!next.HasSlot && _running >= (_limits.Concurrency ?? int.MaxValue))
            {
                return;
            }

            _running += next.HasSlot ? 0 : 1;
            next.HasSlot = true;
            _slice = next.TakeFrom(_slice, _limits);
            if (!next.IsSatisfied)
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
                grant = await lease(requests, messages, limits, CancellationToken.None);
            }
            catch (Exception failure)
            {
                FailAll(failure);
                return;
            }

            lock (_lock)
            {
                // Even a grant whose second is over by now serves once: else a slow database would starve everybody.
                DropLapsed();
                _slice = grant with { Requests = grant.Requests + _slice.Requests, Messages = grant.Messages + _slice.Messages };
                _sliceAt = time.GetTimestamp();
                Serve();
            }

            if ((requests > 0 && grant.Requests == 0) || (messages > 0 && grant.Messages == 0))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(grant.MillisecondsLeft + 1), time);
            }
        }
    }

    private (int Requests, int Messages, BudgetLimits Limits)? Want()
    {
        lock (_lock)
        {
            if (_waiting.First?.Value is not { HasSlot: true })
            {
                _leasing = false;
                return null;
            }

            return (
                Slice(_waiting.Sum(static turn => (long)turn.RequestsNeeded), _waiting.First.Value.RequestsNeeded, _limits.RequestsPerSecond),
                Slice(_waiting.Sum(static turn => (long)turn.MessagesNeeded), _waiting.First.Value.MessagesNeeded, _limits.MessagesPerSecond),
                _limits);
        }
    }

    // What the first in line has no need of is not asked for: it would lapse while he gathers the other kind.
    private static int Slice(long needed, int neededByFirst, double? limit) => limit is { } most && neededByFirst > 0
        ? (int)Math.Clamp(needed, 1 + (most / SliceShareMin), Math.Min(int.MaxValue, 1 + (most / SliceShareMax)))
        : 0;

    private void FailAll(Exception failure)
    {
        lock (_lock)
        {
            foreach (var turn in _waiting)
            {
                _running -= turn.HasSlot ? 1 : 0;
                turn.Granted.TrySetException(failure);
            }

            _waiting.Clear();
            _leasing = false;
        }
    }
}
