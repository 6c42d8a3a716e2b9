namespace GenericHttpEsp.Storage;

/// <summary>
/// The time of the database: what silos agree on. A machine whose clock is wrong by a year must not start next year's campaigns. Only the date and time of day
/// are corrected; what is measured (timestamps, timers) is this machine's own.
/// </summary>
internal sealed class ClusterTime(TimeProvider machine) : TimeProvider
{
    // Below this the way to the database and back is most of the difference.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);
    private long _offset;

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override long TimestampFrequency => machine.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => machine.GetUtcNow() + new TimeSpan(Volatile.Read(ref _offset));

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <summary>Takes over the database's time; answers how far this machine's clock is behind it (negative: ahead).</summary>
    public TimeSpan Follow(DateTimeOffset database)
    {
        var behind = database - machine.GetUtcNow();
        Volatile.Write(ref _offset, behind.Duration() > Tolerance ? behind.Ticks : 0);
        return behind;
    }
}
