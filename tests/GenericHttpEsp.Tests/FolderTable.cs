namespace GenericHttpEsp.Tests;

/// <summary>A type of one folder uses one of another.</summary>
internal sealed record FolderUse(string? From, string? To, string Type, string Used);

/// <summary>
/// The allowed uses between the folders of the program. Upstream calls downstream; who must answer later declares the interface it needs in its own folder.
/// </summary>
internal static class FolderTable
{
    private const string Prefix = "GenericHttpEsp.";

    public static readonly IReadOnlyDictionary<string, string[]> Allowed = new Dictionary<string, string[]>
    {
        ["Storage"] = [],
        ["Content"] = [],
        ["Sandbox"] = [],
        ["Api"] = ["Storage"],
        ["Recipients"] = ["Api", "Storage", "Content"],
        ["Providers"] = ["Api", "Storage", "Content"],
        ["Stats"] = ["Api", "Storage"],
        ["Dispatch"] = ["Providers", "Recipients", "Content", "Api", "Storage"],
        ["Campaigns"] = ["Dispatch", "Providers", "Recipients", "Stats", "Content", "Api", "Storage"],
        ["Callbacks"] = ["Campaigns", "Dispatch", "Providers", "Recipients", "Stats", "Content", "Api", "Storage"],
        ["Web"] = ["Callbacks", "Campaigns", "Dispatch", "Providers", "Recipients", "Stats", "Content", "Sandbox", "Api", "Storage"],
        ["Wiring"] = ["Web", "Callbacks", "Campaigns", "Dispatch", "Providers", "Recipients", "Stats", "Content", "Sandbox", "Api", "Storage"],
    };

    /// <summary>The folder of a namespace; null for what is not ours (packages, generated code, the top-level program).</summary>
    public static string? FolderOf(string? space) =>
        space?.StartsWith(Prefix, StringComparison.Ordinal) == true ? space[Prefix.Length..].Split('.')[0] : null;

    public static IEnumerable<string> Violations(IEnumerable<FolderUse> uses, IReadOnlyDictionary<string, string[]> allowed) => uses
        .Where(use => !allowed.TryGetValue(use.From!, out var targets) || !targets.Contains(use.To))
        .Select(static use => $"{use.From} -> {use.To}: {use.Type} uses {use.Used}");

    /// <summary>Folders that reach themselves.</summary>
    public static IEnumerable<string> Cycles(IReadOnlyDictionary<string, string[]> allowed) =>
        allowed.Keys.Where(start => Reachable(start, allowed).Contains(start));

    private static HashSet<string> Reachable(string start, IReadOnlyDictionary<string, string[]> allowed)
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(allowed[start]);
        while (open.TryPop(out var folder))
        {
            if (reached.Add(folder))
            {
                foreach (var next in allowed.GetValueOrDefault(folder, []))
                {
                    open.Push(next);
                }
            }
        }

        return reached;
    }
}
