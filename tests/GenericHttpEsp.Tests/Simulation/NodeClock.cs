namespace GenericHttpEsp.Tests.Simulation;

/// <summary>The clocks of one process. Its wall clock may be wrong; its monotonic clock goes on while the process is paused.</summary>
internal sealed class NodeClock(Node node) : TimeProvider
{
    public TimeSpan WallClockError { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => node.World.Now + WallClockError;

    public override long GetTimestamp() => node.World.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new NodeTimer(node, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class NodeTimer(Node node, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                node.World.Add(node, dueTime, () => Fire(version, period));
            }

            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int version, TimeSpan period)
        {
            if (version == _version)
            {
                new Task(() => Call(version, period)).Start(node);
            }
        }

        private void Call(int version, TimeSpan period)
        {
            if (version != _version)
            {
                return;
            }

            if (period > TimeSpan.Zero && period != Timeout.InfiniteTimeSpan)
            {
                node.World.Add(node, period, () => Fire(version, period));
            }

            if (_context is null)
            {
                callback(state);
            }
            else
            {
                ExecutionContext.Run(_context, static call => ((Action)call!)(), () => callback(state));
            }
        }
    }
}
