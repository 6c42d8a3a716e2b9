namespace GenericHttpEsp.Wiring;

/// <summary>
/// Which silos have not renewed their row in the database for too long. Rows are compared with themselves on this machine's monotonic clock: the times in them are
/// the other machines' own.
/// </summary>
/// <param name="patience">So long.</param>
/// <param name="gapMax">Whoever did not look for longer knows nothing: the database may have been away for everybody.</param>
/// <param name="time">Of this machine.</param>
internal sealed class RenewalWatch(TimeSpan patience, TimeSpan gapMax, TimeProvider time)
{
    private Dictionary<SiloAddress, (DateTime Renewed, long Since)> _known = [];
    private long? _looked;

    /// <param name="rows">All active silos, and what stands in their rows.</param>
    /// <returns>Those that are cut from the database, or stand still.</returns>
    public List<SiloAddress> Look(IReadOnlyList<(SiloAddress Silo, DateTime Renewed)> rows)
    {
        var now = time.GetTimestamp();
        if (_looked is not { } looked || time.GetElapsedTime(looked, now) > gapMax)
        {
            _known = [];
        }

        _looked = now;
        _known = rows.ToDictionary(
            static row => row.Silo, row => _known.TryGetValue(row.Silo, out var known) && known.Renewed == row.Renewed ? known : (row.Renewed, now));
        return [.. _known.Where(row => time.GetElapsedTime(row.Value.Since, now) >= patience).Select(static row => row.Key)];
    }
}
