namespace GenericHttpEsp.Sandbox;

/// <summary>Events by the time they are due, first come first served among equals. Bounded: what does not fit is dropped and counted.</summary>
internal sealed class SandboxCallbackQueue(int eventsMax, TimeProvider time, SandboxSignal changed)
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<SandboxEvent, (long Due, long Order)> _waiting = new();
    private long _order;
    private long _taken;

    public long Queued { get; private set; }

    public long Dropped { get; private set; }

    /// <summary>Events waiting or being posted.</summary>
    public long Outstanding
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count + _taken;
            }
        }
    }

    public void Add(SandboxEvent one, TimeSpan delay)
    {
        lock (_lock)
        {
            if (_waiting.Count >= eventsMax)
            {
                Dropped++;
                return;
            }

            Queued++;
            _waiting.Enqueue(one, (time.GetUtcNow().Add(delay).UtcTicks, _order++));
        }
    }

    /// <summary>Tells the senders to look; once for many additions.</summary>
    public void Added() => changed.Pulse();

    /// <summary>Events that are due and go to one URL. When none is: how long until one will be, or for ever.</summary>
    public (List<SandboxEvent> Due, TimeSpan Wait) Take()
    {
        lock (_lock)
        {
            List<SandboxEvent> due = [];
            while (_waiting.TryPeek(out var next, out var at))
            {
                var wait = TimeSpan.FromTicks(at.Due - time.GetUtcNow().UtcTicks);
                if (wait > TimeSpan.Zero)
                {
                    return (due, wait);
                }

                if (due.Count > 0 && (next.Url != due[0].Url || due.Count >= due[0].EventsPerBody))
                {
                    break;
                }

                due.Add(_waiting.Dequeue());
                _taken++;
            }

            return (due, Timeout.InfiniteTimeSpan);
        }
    }

    public void Done(int events)
    {
        lock (_lock)
        {
            _taken -= events;
        }

        changed.Pulse();
    }
}
