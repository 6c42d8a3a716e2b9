namespace GenericHttpEsp.Storage;

/// <summary>
/// The time of the database: what silos agree on. A machine whose clock is wrong by a year must not start next year's campaigns. Only the date and time of day
/// are corrected; what is measured (timestamps, timers) is this machine's own.
/// </summary>
internal sealed class ClusterTime(TimeProvider machine) : TimeProvider
{
    // Below this the way to the database and back is most of the difference.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);
    private volatile Seen? _seen;

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override long TimestampFrequency => machine.TimestampFrequency;

    // Counted on from what was seen, and not added to the machine's clock: somebody may set that right meanwhile.
    public override DateTimeOffset GetUtcNow() => _seen is { } seen ? seen.At + machine.GetElapsedTime(seen.Timestamp) : machine.GetUtcNow();

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <summary>Takes over the database's time; answers how far this machine's clock is behind it (negative: ahead).</summary>
    public TimeSpan Follow(DateTimeOffset database)
    {
        var behind = database - machine.GetUtcNow();
        _seen = behind.Duration() > Tolerance ? new Seen(database, machine.GetTimestamp()) : null;
        return behind;
    }

    private sealed record Seen(DateTimeOffset At, long Timestamp);
}
