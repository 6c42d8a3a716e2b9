namespace GenericHttpEsp.Dispatch;

/// <summary>
/// The gate of one claim. It passes once, within the send window counted from before the claim's BEGIN, or never. It settles when the first bytes of the
/// request were given to the socket, or when it is certain that none ever will be.
/// </summary>
internal sealed class SendGate : IDisposable
{
    private const int Open = 0;
    private const int Passing = 1;
    private const int Begun = 2;
    private const int Shut = 3;

    // What waits for the gate goes on elsewhere: the sender must not run it between its gate and its first byte.
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OpenClaims _claims;
    private readonly TimeProvider _time;
    private readonly long _windowStart;
    private readonly TimeSpan _window;
    private int _state;

    public SendGate(OpenClaims claims, TimeProvider time, long windowStart, TimeSpan window) =>
        (_claims, _time, _windowStart, _window) = (claims, time, windowStart, window);

    /// <summary>Completes when the first bytes are out, or none will be.</summary>
    public Task Settled => _settled.Task;

    /// <summary>Bytes may be on the wire. Once this is false and the gate is settled it stays false.</summary>
    public bool HasPassed => Volatile.Read(ref _state) is Passing or Begun;

    /// <summary>What is left of the window; negative when it is over.</summary>
    public TimeSpan Left => _window - _time.GetElapsedTime(_windowStart);

    /// <summary>More than half of the window is left: what is late now is so by no fault of ours.</summary>
    public bool IsEarly => Left > _window / 2;

    /// <summary>
    /// Asked once, right before the first byte. True obliges the caller to end with <see cref="MarkBegun"/> or <see cref="GiveUp"/>.
    /// </summary>
    public bool TryPass()
    {
        if (Interlocked.CompareExchange(ref _state, Passing, Open) != Open)
        {
            return false;
        }

        // The clock is read after the gate was taken: a pause before this line counts.
        if (Left >= TimeSpan.Zero)
        {
            return true;
        }

        GiveUp();
        return false;
    }

    /// <summary>The first bytes were given to the socket.</summary>
    public void MarkBegun() => Move(Passing, Begun);

    /// <summary>The gate was passed, but the request ended before its first bytes were given to the socket. Without effect otherwise.</summary>
    public void GiveUp() => Move(Passing, Shut);

    /// <summary>Shuts a gate that nobody passed. False when a request has passed: that one goes on.</summary>
    public bool TryClose() => Move(Open, Shut);

    /// <summary>Closes the claim. A request on the wire goes on.</summary>
    public void Dispose() => TryClose();

    /// <summary>Calls back when the window ends before the gate was passed; a connect under way is cancelled by it.</summary>
    public ITimer OnMissed(Action missed) =>
        _time.CreateTimer(_ => CloseThen(missed), null, Left > TimeSpan.Zero ? Left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);

    private void CloseThen(Action missed)
    {
        if (TryClose())
        {
            missed();
        }
    }

    private bool Move(int from, int to)
    {
        if (Interlocked.CompareExchange(ref _state, to, from) != from)
        {
            return false;
        }

        _claims.Remove(this, to == Begun);
        _settled.TrySetResult();
        return true;
    }
}
