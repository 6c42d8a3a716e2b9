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

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
