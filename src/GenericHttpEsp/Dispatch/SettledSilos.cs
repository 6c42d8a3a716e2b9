namespace GenericHttpEsp.Dispatch;

/// <summary>Whether the same silos have been there for a while. One that answers slowly is there: only the membership says who is not.</summary>
/// <param name="settling">So long.</param>
/// <param name="time">Of this machine.</param>
internal sealed class SettledSilos(TimeSpan settling, TimeProvider time)
{
    private HashSet<SiloAddress> _silos = [];
    private long _since;

    public bool Look(HashSet<SiloAddress> silos)
    {
        if (!_silos.SetEquals(silos))
        {
            (_silos, _since) = (silos, time.GetTimestamp());
        }

        return IsLongAgo(_since);
    }

    public bool IsLongAgo(long timestamp) => time.GetElapsedTime(timestamp) >= settling;
}
