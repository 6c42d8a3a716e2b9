using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>Asks for a slice of the current second: requests and messages wanted, under the limits given.</summary>
internal delegate Task<BudgetGrant> LeaseBudget(int requests, int messages, BudgetLimits limits, CancellationToken cancellationToken);

/// <summary>
/// What this silo holds of a provider's second: leased for those who wait in line, a little ahead, and lapsed when the second ends. Everything but the lease itself
/// happens under the owner's lock.
/// </summary>
internal sealed class BudgetSlice(
    BudgetLimits limits, LeaseBudget lease, FairLine<BudgetTurn> waiting, Lock gate, TimeProvider time, Action serve, Action<Exception> fail)
{
    // A slice is at least a 20th of a second's limit, so that few calls are made, and at most a quarter, so that other silos get theirs.
    private const int ShareMin = 20;
    private const int ShareMax = 4;

    // The line may be long; what stands behind these is not served from the next slice.
    private const int TurnsCounted = 1000;

    private BudgetLimits _limits = limits;
    private BudgetGrant _left;
    private long _leasedAt;
    private bool _leasing;

    public void Limit(BudgetLimits changed) => _limits = changed;

    /// <summary>Gives the turn what it needs, or what there is. Answers whether it has all.</summary>
    public bool Serve(BudgetTurn turn)
    {
        _left = turn.TakeFrom(_left, _limits);
        return turn.IsSatisfied(_limits);
    }

    /// <summary>Whoever is next goes on gathering from there, also with what is of an earlier second: it was granted and not used.</summary>
    public void TakeBack(BudgetTurn turn)
    {
        DropLapsed();
        _left = turn.GiveBackTo(_left);
    }

    public void DropLapsed()
    {
        if (time.GetElapsedTime(_leasedAt).TotalMilliseconds >= _left.MillisecondsLeft)
        {
            _left = default;
        }
    }

    /// <summary>Sees to it that the next one is asked for, if somebody waits for nothing else.</summary>
    public void SeeToLease()
    {
        if (!_leasing && waiting.First is { Slot: not null })
        {
            // Off the caller's scheduler: a grain's would be held by this loop.
            _leasing = true;
            _ = Background.Run(LeaseAsync);
        }
    }

    private async Task LeaseAsync()
    {
        while (Want() is var (requests, messages, current))
        {
            BudgetGrant grant;
            try
            {
                grant = await lease(requests, messages, current, CancellationToken.None);
            }
            catch (Exception failure)
            {
                lock (gate)
                {
                    fail(failure);
                    _leasing = false;
                }

                return;
            }

            lock (gate)
            {
                // Even a grant whose second is over by now serves once: else a slow database would starve everybody.
                DropLapsed();
                _left = grant with { Requests = grant.Requests + _left.Requests, Messages = grant.Messages + _left.Messages };
                _leasedAt = time.GetTimestamp();
                serve();
            }

            if ((requests > 0 && grant.Requests == 0) || (messages > 0 && grant.Messages == 0))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(grant.MillisecondsToMore + 1), time);
            }
        }
    }

    /// <summary>Null: nobody waits for it, and the loop ends.</summary>
    private (int Requests, int Messages, BudgetLimits Limits)? Want()
    {
        lock (gate)
        {
            if (waiting.First is not { Slot: not null } first)
            {
                _leasing = false;
                return null;
            }

            // What the first in line has no use for yet is not asked for: it would lapse while he gathers the other kind.
            var messages = first.MessagesNeeded(_limits) <= 0 ? 0 : Share(static (turn, limits) => turn.MessagesNeeded(limits), _limits.MessagesPerSecond);
            var requests = first.MessagesNeeded(_limits) > messages || first.RequestsNeeded(_limits) <= 0
                ? 0
                : Share(static (turn, limits) => turn.RequestsNeeded(limits), _limits.RequestsPerSecond);
            return (requests, messages, _limits);
        }
    }

    private int Share(Func<BudgetTurn, BudgetLimits, int> needed, double? limit) => (int)Math.Clamp(
        waiting.All.Take(TurnsCounted).Sum(turn => (long)needed(turn, _limits)),
        1 + (limit!.Value / ShareMin),
        Math.Min(int.MaxValue, 1 + (limit.Value / ShareMax)));
}
