namespace GenericHttpEsp.Campaigns;

/// <summary>Finds the known name that a mistyped one probably meant.</summary>
internal static class NearestName
{
    // Longer names are no typing mistakes; the bound keeps the table small whatever the body holds.
    private const int LengthMax = 40;

    /// <summary>The nearest of the known names, or null when none is near: at most a third of the letters may differ, case not counted.</summary>
    public static string? Of(string name, IReadOnlyList<string> known)
    {
        if (name.Length is 0 or > LengthMax)
        {
            return null;
        }

        var (nearest, distance) = known
            .Select(candidate => (candidate, Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .MinBy(static pair => pair.Item2);
        return distance <= Math.Max(1, Math.Max(name.Length, nearest.Length) / 3) ? nearest : null;
    }

    /// <summary>Letters inserted, left out, replaced, or swapped with their neighbour (optimal string alignment).</summary>
    private static int Distance(string left, string right)
    {
        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                table[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        table[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1),
                        Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
                }
            }
        }

        return table[left.Length, right.Length];
    }
}
