namespace GenericHttpEsp.Dispatch;

/// <summary>How a second's budget is divided between the silos that asked for it lately. Pure.</summary>
/// <param name="Second">Of the database's clock.</param>
/// <param name="MillisecondsLeft">Of it.</param>
/// <param name="Silos">That asked in this second or the one before, this one included.</param>
/// <param name="Rank">Of this silo among them, from 0.</param>
/// <param name="Requests">This silo's grants of the second so far.</param>
/// <param name="Messages">The same.</param>
internal readonly record struct BudgetShares(long Second, int MillisecondsLeft, int Silos, int Rank, long Requests, long Messages)
{
    // What others left until here is for whoever asks: so nothing is lost to a silo that needs no more.
    private const int SharedMilliseconds = 500;

    private bool IsShared => Silos > 1 && MillisecondsLeft > 1000 - SharedMilliseconds;

    /// <summary>When more than was granted may be had.</summary>
    public int MillisecondsToMore(int left) => IsShared ? left - (1000 - SharedMilliseconds) : left;

    /// <param name="wanted">By this silo now.</param>
    /// <param name="mine">Granted to it already.</param>
    /// <param name="all">Granted to everybody.</param>
    /// <param name="limit">A second; null grants everything.</param>
    public long Grant(int wanted, long mine, long all, double? limit)
    {
        if (limit is not { } most)
        {
            return wanted;
        }

        var left = Quota(most, Second) - all;
        return Math.Clamp(IsShared ? Math.Min(Share(most) - mine, left) : left, 0, wanted);
    }

    /// <summary>Whole numbers whose sum follows the limit: of 0.5 every other second gets one.</summary>
    public static long Quota(double limit, long second) => Total(limit, second + 1) - Total(limit, second);

    /// <summary>The silos take turns by the units ever granted, so that each gets its part also of less than one a second.</summary>
    private long Share(double limit) => Turns(Total(limit, Second + 1)) - Turns(Total(limit, Second));

    private long Turns(long units) => (units - Rank + Silos - 1) / Silos;

    private static long Total(double limit, long second) => (long)Math.Floor(limit * second);
}
