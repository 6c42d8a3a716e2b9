using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// The claims of this silo whose requests may still begin, and the wait of those who forbid sending.
/// </summary>
/// <remarks>
/// Why the snapshot is enough in one process: a change that forbids commits first and asks for the snapshot afterwards. A claim is opened before its admit
/// statement runs. So a claim missing from the snapshot was opened after the commit, and its admit sees the change (READ COMMITTED takes a snapshot for
/// each statement; SQLite has one writer, so nothing commits between our BEGIN and our admit), or it has begun or shut already. A gate in the snapshot is
/// waited for, and one that has not passed when its window ends will refuse for ever. Other silos cannot be seen: there only time helps.
/// </remarks>
internal sealed class OpenClaims : IForbidBarrier
{
    // A tenth for the difference of two machines' clock rates and for the way from the gate to the socket.
    private const double Grace = 1.1;

    private readonly Lock _lock = new();
    private readonly HashSet<SendGate> _open = [];
    private readonly TimeSpan _window;
    private readonly TimeProvider _time;
    private readonly bool _clusterWide;
    private readonly Func<CancellationToken, ValueTask<bool>> _anyCampaignHasWork;
    private readonly TimeSpan _onTheWay;
    private long? _lastBegun;

    /// <param name="window">Equal on all silos.</param>
    /// <param name="time">Its monotonic clock counts.</param>
    /// <param name="clusterWide">Other silos send too.</param>
    /// <param name="anyCampaignHasWork">Reads committed rows, after the change that forbids has committed.</param>
    /// <param name="onTheWay">What a head given to the socket may take to the ESP: so long after the last one begun nothing is acknowledged.</param>
    public OpenClaims(
        TimeSpan window, TimeProvider time, bool clusterWide, Func<CancellationToken, ValueTask<bool>> anyCampaignHasWork, TimeSpan onTheWay = default) =>
        (_window, _time, _clusterWide, _anyCampaignHasWork, _onTheWay) = (window, time, clusterWide, anyCampaignHasWork, onTheWay);

    /// <summary>Claims whose requests may still begin.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>
    /// Opens a claim. Call it inside the transaction's work, before the admit statement; dispose the gate when the claim did not commit or is not sent
    /// (work that runs twice opens twice: dispose the first).
    /// </summary>
    /// <param name="windowStart">Timestamp from before the BEGIN (<c>LedgerSession.BeganAt</c>).</param>
    public SendGate Open(long windowStart)
    {
        var gate = new SendGate(this, _time, windowStart, _window);
        lock (_lock)
        {
            _open.Add(gate);
        }

        return gate;
    }

    public Task WaitAsync(CancellationToken cancellationToken) => _clusterWide ? WaitOutAsync(cancellationToken) : WaitForOpenAsync(cancellationToken);

    public void Remove(SendGate gate, bool hasBegun)
    {
        lock (_lock)
        {
            _open.Remove(gate);
            _lastBegun = hasBegun ? _time.GetTimestamp() : _lastBegun;
        }
    }

    private async Task WaitForOpenAsync(CancellationToken cancellationToken)
    {
        SendGate[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        if (open.Length > 0)
        {
            await WaitForAsync(open, cancellationToken);
        }

        long? begun;
        lock (_lock)
        {
            begun = _lastBegun;
        }

        if (begun is { } last)
        {
            await WaitOutAsync(last, _onTheWay, cancellationToken);
        }
    }

    private async Task WaitForAsync(SendGate[] open, CancellationToken cancellationToken)
    {
        var longest = open.Max(static gate => gate.Left) + (_window * (Grace - 1));
        try
        {
            await SettledAsync(open).WaitAsync(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Every window of the snapshot is over: what has not passed cannot pass any more.
        }
    }

    private static async Task SettledAsync(SendGate[] open)
    {
        foreach (var gate in open)
        {
            await gate.Settled;
        }
    }

    private async Task WaitOutAsync(CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        if (!await _anyCampaignHasWork(cancellationToken))
        {
            return;
        }

        await WaitOutAsync(start, _window * Grace, cancellationToken);
    }

    private async Task WaitOutAsync(long since, TimeSpan wait, CancellationToken cancellationToken)
    {
        // Timers have a coarser clock than timestamps and may fire early: ask again.
        while (wait - _time.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left + TimeSpan.FromMilliseconds(1), _time, cancellationToken);
        }
    }
}
