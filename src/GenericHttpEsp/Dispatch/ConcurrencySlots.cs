using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>Renews, changes or ends this silo's lease on a provider's concurrency.</summary>
internal delegate Task<SlotGrant> LeaseSlots(SlotAsk ask, CancellationToken cancellationToken);

/// <summary>
/// The concurrency slots of one provider that this silo may use: leased in blocks, renewed beside the requests, given back when others wait for them or
/// nobody needs them. Everything but the lease itself happens under the owner's lock.
/// </summary>
/// <remarks>
/// Why the limit holds over the cluster: requests begin only within <see cref="GoodFor"/> after a lease was asked for, on the monotonic clock, and the row
/// counts for that and the longest attempt besides. A silo that was stopped for longer finds its lease lapsed before it sends what it claimed.
/// </remarks>
internal sealed class ConcurrencySlots(LeaseSlots? lease, Lock gate, TimeProvider time, Action serve, Action<Exception> fail)
{
    /// <summary>Requests begin for so long under a lease; it is renewed ten times within.</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EveryWhileShort = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(1);

    private int? _limit;
    private long _revision;
    private int _running;
    private int _peak;
    private int _held;
    private int _share;
    private int _askedFor;
    private long _lease;
    private long? _leasedAt;
    private long _usedAt;
    private bool _isShort;
    private bool _leasing;
    private bool _closed;
    private Task _loop = Task.CompletedTask;
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Limit(BudgetLimits limits)
    {
        (_limit, _revision) = (limits.Concurrency, limits.Revision);
        _woken.TrySetResult();
    }

    /// <summary>A slot, named by its lease; null when none is free now: whoever waits is served when there is.</summary>
    public long? TryTake()
    {
        if (_limit is { } most && (_running >= most || (lease is not null && (_running >= _held || !IsGood(_lease)))))
        {
            _isShort = true;
            SeeToLease(most);
            return null;
        }

        _running++;
        _peak = Math.Max(_peak, _running);
        _usedAt = _limit is null ? 0 : time.GetTimestamp();
        return _lease;
    }

    public void Free()
    {
        _running--;
        GiveUp();
    }

    /// <summary>A request may begin under this lease.</summary>
    public bool IsGood(long named) =>
        lease is null || _limit is null || (named == _lease && _leasedAt is { } since && time.GetElapsedTime(since) < GoodFor);

    public Task CloseAsync()
    {
        lock (gate)
        {
            _closed = true;
            _woken.TrySetResult();
            return _loop;
        }
    }

    private void SeeToLease(int most)
    {
        if (lease is null || _closed)
        {
            return;
        }

        if (!_leasing)
        {
            // Off the caller's scheduler: a grain's would be held by this loop.
            _leasing = true;
            _loop = Background.Run(LeaseAsync);
        }
        else if (_askedFor < most)
        {
            _woken.TrySetResult();
        }
    }

    /// <summary>Comes down to the share as requests end; the others learn it from the next renewal.</summary>
    private void GiveUp()
    {
        if (lease is not null && _held > Math.Max(_share, _running))
        {
            _held = Math.Max(_share, _running);
            _woken.TrySetResult();
        }
    }

    private async Task LeaseAsync()
    {
        while (true)
        {
            var (ask, woken) = Next();
            var askedAt = time.GetTimestamp();
            TimeSpan? pause;
            try
            {
                pause = Follow(ask, await lease!(ask, CancellationToken.None), askedAt);
            }
            catch (Exception failure)
            {
                pause = Give(failure);
            }

            if (pause is not { } wait)
            {
                return;
            }

            // Its end by time is no failure.
            await woken.WaitAsync(wait, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private (SlotAsk Ask, Task Woken) Next()
    {
        lock (gate)
        {
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_closed || _limit is not { } most || (_running == 0 && !_isShort && time.GetElapsedTime(_usedAt) >= IdleFor))
            {
                (_held, _isShort) = (0, false);
                return (new SlotAsk(0, 0, 0, -1), _woken.Task);
            }

            _askedFor = _isShort ? most : Math.Clamp(_peak, 1, most);
            (_isShort, _peak) = (false, _running);
            return (new SlotAsk(_held, _askedFor, most, _revision), _woken.Task);
        }
    }

    /// <summary>When to ask again; null when there is no need to.</summary>
    private TimeSpan? Follow(SlotAsk ask, SlotGrant grant, long askedAt)
    {
        lock (gate)
        {
            if (ask.Wanted == 0)
            {
                // Somebody may have come meanwhile.
                _leasing = _isShort && !_closed;
                return _leasing ? TimeSpan.Zero : null;
            }

            _lease += grant.WasLapsed ? 1 : 0;
            (_held, _share, _leasedAt) = (grant.Slots, grant.Share, askedAt);
            GiveUp();
            serve();
            return _isShort ? EveryWhileShort : Every;
        }
    }

    private TimeSpan? Give(Exception failure)
    {
        lock (gate)
        {
            fail(failure);
            _leasing = _running > 0 && !_closed;
            return _leasing ? Every : null;
        }
    }
}
