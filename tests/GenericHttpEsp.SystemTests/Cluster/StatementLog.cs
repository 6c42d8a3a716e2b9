using System.Globalization;
using System.Text.RegularExpressions;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>A silo's try to claim, as PostgreSQL heard it: the fence refuses it or not.</summary>
/// <param name="At">By the server's clock.</param>
/// <param name="Host">The silo's address, or its name.</param>
/// <param name="Partition">Of which.</param>
/// <param name="Epoch">What its activation was given when it began.</param>
internal sealed record ClaimTry(DateTimeOffset At, string Host, long Partition, long Epoch);

/// <summary>What each silo asked of PostgreSQL, by its own log: who tried to claim what, and which request was claimed by whom.</summary>
internal sealed partial class StatementLog
{
    /// <summary>Of the server, so that it writes that down.</summary>
    public const string Settings = "-c max_connections=200 -c log_statement=mod -c log_timezone=UTC -c log_line_prefix=%m/%h/";

    /// <summary>For silos that share an address: they are told apart by the name of their connections, see <see cref="ClusterBench.NameOf"/>.</summary>
    public const string SettingsByName = "-c max_connections=200 -c log_statement=mod -c log_timezone=UTC -c log_line_prefix=%m/%a/";

    private readonly Dictionary<string, string> _claimedBy = [];

    private StatementLog(IEnumerable<string> lines)
    {
        var tries = new List<ClaimTry>();
        var isFence = false;
        foreach (var line in lines)
        {
            if (Line().Match(line) is not { Success: true } match)
            {
                continue;
            }

            var (host, text) = (match.Groups["host"].Value, match.Groups["text"].Value);
            if (text.StartsWith("DETAIL:", StringComparison.Ordinal))
            {
                if (isFence && Fence().Match(text) is { Success: true } fence)
                {
                    var at = DateTimeOffset.Parse(match.Groups["at"].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
                    tries.AddRange(Numbers(fence, "ids").Zip(Numbers(fence, "epochs"), (partition, epoch) => new ClaimTry(at, host, partition, epoch)));
                }

                foreach (Match key in Key().Matches(text))
                {
                    // The claim comes first; outcomes do not name the key.
                    _claimedBy.TryAdd(key.Value, host);
                }
            }

            isFence = text.EndsWith("update partitions set cursor = given.upto", StringComparison.Ordinal);
        }

        Tries = tries;
    }

    public IReadOnlyList<ClaimTry> Tries { get; }

    public static async Task<StatementLog> ReadAsync(PostgresProcess postgres) => new(await File.ReadAllLinesAsync(postgres.LogFile));

    /// <summary>The address of the silo that claimed what was sent under this key; null if none did.</summary>
    public string? ClaimedBy(string key) => _claimedBy.GetValueOrDefault(key);

    /// <summary>The latest of each partition.</summary>
    public IEnumerable<ClaimTry> LastTries() => Tries.GroupBy(static one => one.Partition).Select(static partition => partition.MaxBy(static one => one.At)!);

    /// <summary>
    /// Tries of an activation of a partition after another one at another silo, which was begun later, had tried: at that moment both were there, and both wanted to send.
    /// </summary>
    public IReadOnlyList<ClaimTry> Doubles() => [.. Tries.GroupBy(static one => one.Partition).SelectMany(static partition =>
    {
        var tries = partition.OrderBy(static one => one.At).ToList();
        return tries.Where((late, i) => tries.Take(i).Any(other => other.Epoch > late.Epoch && other.Host != late.Host));
    })];

    private static IEnumerable<long> Numbers(Match match, string group) =>
        match.Groups[group].Value.Split(',').Select(static number => long.Parse(number, CultureInfo.InvariantCulture));

    [GeneratedRegex("^(?<at>[0-9-]+ [0-9:.]+) UTC/(?<host>[^/]*)/(?<text>.*)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"\$1 = '\{(?<ids>[0-9,]+)\}', \$2 = '\{(?<epochs>[0-9,]+)\}'")]
    private static partial Regex Fence();

    [GeneratedRegex("(?<![a-z2-7])[a-z2-7]{26}(?![a-z2-7])")]
    private static partial Regex Key();
}
