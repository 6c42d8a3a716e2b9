namespace GenericHttpEsp.Storage;

/// <summary>Where a connection leads.</summary>
/// <param name="Database">Its number on the server.</param>
/// <param name="Settings">The number of our first table; 0 before the first migration.</param>
/// <param name="Timeline">Of the server's log; a standby that takes over, and a recovery to an earlier point, begin a new one.</param>
/// <param name="Position">Up to where the log is flushed, in bytes.</param>
internal readonly record struct PostgresPlace(long Database, long Settings, int Timeline, long Position);

/// <summary>
/// What this silo remembers of the database. One that has gone back has forgotten claims and unsubscribes that were acknowledged: going on would send messages
/// twice, and to people who have left.
/// </summary>
/// <param name="trustsFailover">A new timeline alone is no loss: all standbys that may take over are synchronous.</param>
internal sealed class PostgresWitness(bool trustsFailover)
{
    private readonly Lock _lock = new();
    private PostgresPlace? _known;

    /// <summary>What is known so far. To be read before a connection is asked where it leads: commits go on meanwhile, and are noted beyond its answer.</summary>
    public PostgresPlace? Known
    {
        get
        {
            lock (_lock)
            {
                return _known;
            }
        }
    }

    /// <summary>After each commit.</summary>
    public void Note(long position)
    {
        lock (_lock)
        {
            _known = _known is { } known ? known with { Position = Math.Max(known.Position, position) } : null;
        }
    }

    /// <summary>At each new connection. Answers why the database must have gone back, or null.</summary>
    /// <param name="before"><see cref="Known"/>, read before the connection was asked.</param>
    /// <param name="place">What it answered.</param>
    public string? Doubt(PostgresPlace? before, PostgresPlace place) => before switch
    {
        null => null,
        { } known when known.Database != place.Database || (known.Settings != 0 && known.Settings != place.Settings) =>
            "the connection string leads to another database than before",
        { } known when place.Position < known.Position =>
            $"it has lost the last {known.Position - place.Position:N0} bytes of its log",
        { } known when place.Timeline != known.Timeline && !trustsFailover =>
            $"its timeline changed from {known.Timeline} to {place.Timeline}: it was recovered, or a standby has taken over",
        _ => null,
    };

    /// <summary>This is the database from now on.</summary>
    /// <param name="place">Where a connection leads.</param>
    /// <param name="wentBack">What was noted before is about what it has lost.</param>
    public void Accept(PostgresPlace place, bool wentBack = false)
    {
        lock (_lock)
        {
            _known = _known is { } known && !wentBack ? place with { Position = known.Position } : place;
        }
    }
}
