namespace GenericHttpEsp.Dispatch;

/// <summary>What one silo has and would use of a provider's concurrency.</summary>
internal sealed record SlotDemand(string Silo, int Slots, int Wanted);

/// <summary>How a provider's concurrency is divided. Pure, so that all silos come to the same answer.</summary>
internal static class SlotRules
{
    // With fewer slots than silos that want one, they go round.
    private const int RoundMilliseconds = 2000;

    /// <summary>A silo gets what it wants up to an equal share; what others do not want is shared by the rest.</summary>
    public static int Share(string silo, int limit, IReadOnlyCollection<SlotDemand> demands, long nowMilliseconds)
    {
        var ranked = demands.OrderBy(static demand => demand.Silo, StringComparer.Ordinal).ToList();
        var turn = limit < ranked.Count ? nowMilliseconds / RoundMilliseconds : 0;
        var order = ranked
            .Select((demand, rank) => (demand.Silo, Wanted: Math.Min(demand.Wanted, limit), Rank: (rank + turn) % ranked.Count))
            .OrderBy(static demand => demand.Wanted)
            .ThenBy(static demand => demand.Rank);
        var (left, others) = (limit, ranked.Count);
        foreach (var demand in order)
        {
            var share = Math.Min(demand.Wanted, left / others--);
            if (demand.Silo == silo)
            {
                return share;
            }

            left -= share;
        }

        return 0;
    }
}
