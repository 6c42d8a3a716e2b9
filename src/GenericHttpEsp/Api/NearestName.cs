namespace GenericHttpEsp.Api;

/// <summary>"Did you mean": the known name with the fewest changed characters.</summary>
internal static class NearestName
{
    // Names longer than this are nobody's typing mistake, and the comparison is quadratic.
    private const int LengthMax = 64;

    public static string Explain(string name, IEnumerable<string> known) =>
        Of(name, known) is { } nearest ? $"is not known here; did you mean \"{nearest}\"?" : "is not known here";

    public static string? Of(string name, IEnumerable<string> known)
    {
        if (name.Length > LengthMax)
        {
            return null;
        }

        var best = known
            .Select(candidate => (Name: candidate, Distance: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .DefaultIfEmpty((Name: "", Distance: int.MaxValue))
            .MinBy(static candidate => candidate.Distance);
        return best.Distance <= Math.Max(2, name.Length / 3) ? best.Name : null;
    }

    // Levenshtein, one row.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
