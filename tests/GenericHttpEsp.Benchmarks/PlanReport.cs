using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace GenericHttpEsp.Benchmarks;

/// <summary>
/// The plans that PostgreSQL's <c>auto_explain</c> wrote into a JSON log, one of each statement and shape. The server is started with
/// <c>session_preload_libraries=auto_explain auto_explain.log_min_duration=0 auto_explain.log_analyze=on auto_explain.log_format=json log_destination=jsonlog
/// logging_collector=on</c>, on a large run also <c>auto_explain.sample_rate=0.05</c>.
/// </summary>
internal static partial class PlanReport
{
    // A sequential scan of a table this small is what the planner should choose.
    private const double LargeRows = 1000;
    private const int StatementMax = 160;

    public static IReadOnlyCollection<PlanLine> Read(IEnumerable<string> log)
    {
        var lines = new Dictionary<(string, string), PlanLine>();
        foreach (var entry in log)
        {
            if (Plan(entry) is not var (milliseconds, explained) || (string?)explained["Query Text"] is not { } text)
            {
                continue;
            }

            var plan = explained["Plan"]!;
            var nodes = new List<JsonNode>();
            Collect(plan, nodes);
            var key = (Spaces().Replace(text, " ").Trim(), string.Join(", ", nodes.Select(Describe).Where(static name => name.Length > 0).Distinct()));
            var line = lines.GetValueOrDefault(key) ?? new PlanLine(key.Item1, key.Item2);
            lines[key] = line with
            {
                Calls = line.Calls + 1,
                Milliseconds = line.Milliseconds + milliseconds,
                Slowest = Math.Max(line.Slowest, milliseconds),
                LargestScan = Math.Max(line.LargestScan, nodes.Where(IsScan).Select(static node => Rows(node) + Removed(node)).DefaultIfEmpty().Max()),
            };
        }

        return lines.Values;
    }

    /// <summary>Markdown; what took longest in total comes first.</summary>
    public static string Table(IReadOnlyCollection<PlanLine> lines)
    {
        var table = new StringBuilder("| statement | plan | calls | mean ms | slowest ms | rows of its largest sequential scan |\n|---|---|---|---|---|---|\n");
        foreach (var line in lines.OrderByDescending(static line => line.Milliseconds))
        {
            var statement = line.Statement.Length > StatementMax ? line.Statement[..StatementMax] + "…" : line.Statement;
            table.Append(
                CultureInfo.InvariantCulture,
                $"| `{statement.Replace("|", "\\|", StringComparison.Ordinal)}` | {line.Plan} | {line.Calls} | {line.Milliseconds / line.Calls:N2} | {line.Slowest:N1} | {(line.LargestScan > LargeRows ? $"**{line.LargestScan:N0}**" : $"{line.LargestScan:N0}")} |").Append('\n');
        }

        return table.ToString();
    }

    private static (double Milliseconds, JsonNode Plan)? Plan(string entry)
    {
        const string Mark = " ms  plan:\n";
        string? message;
        try
        {
            message = (string?)JsonNode.Parse(entry)!["message"];
        }
        catch (JsonException)
        {
            // The last line of a log that is being written.
            return null;
        }

        return message?.IndexOf(Mark, StringComparison.Ordinal) is { } at and >= 0
            ? (double.Parse(message["duration: ".Length..at], CultureInfo.InvariantCulture), JsonNode.Parse(message[(at + Mark.Length)..])!)
            : null;
    }

    private static void Collect(JsonNode node, List<JsonNode> nodes)
    {
        // Partitions that were pruned at execution do not run.
        if (node["Actual Loops"] is not { } loops || (double)loops > 0)
        {
            nodes.Add(node);
        }

        foreach (var below in node["Plans"]?.AsArray() ?? [])
        {
            Collect(below!, nodes);
        }
    }

    private static string Describe(JsonNode node) => ((string?)node["Node Type"], (string?)node["Index Name"], (string?)node["Relation Name"]) switch
    {
        ({ } type, { } index, _) => $"{type} {Month().Replace(index, "")}",
        ("ModifyTable", _, { } table) => $"{(string?)node["Operation"]} {Month().Replace(table, "")}",
        ({ } type, _, { } table) => $"{type} {Month().Replace(table, "")}",
        ("Sort" or "Incremental Sort" or "Aggregate" or "Hash Join" or "Nested Loop" or "Merge Join" or "Function Scan", _, _) => (string)node["Node Type"]!,
        _ => "",
    };

    private static bool IsScan(JsonNode node) => (string?)node["Node Type"] is "Seq Scan";

    private static double Rows(JsonNode node) => Times(node, "Actual Rows");

    private static double Removed(JsonNode node) => Times(node, "Rows Removed by Filter");

    private static double Times(JsonNode node, string name) => ((double?)node[name] ?? 0) * ((double?)node["Actual Loops"] ?? 1);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // The month in a partition's name.
    [GeneratedRegex(@"_?\d{4}_?\d{2}")]
    private static partial Regex Month();
}

/// <summary>One statement with one shape of plan.</summary>
/// <param name="Statement">On one line.</param>
/// <param name="Plan">Its nodes with their tables and indexes.</param>
internal sealed record PlanLine(string Statement, string Plan)
{
    public int Calls { get; init; }

    /// <summary>In total.</summary>
    public double Milliseconds { get; init; }

    public double Slowest { get; init; }

    /// <summary>Rows read by the largest sequential scan in one call.</summary>
    public double LargestScan { get; init; }
}
