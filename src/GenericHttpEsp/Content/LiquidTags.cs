namespace GenericHttpEsp.Content;

/// <summary>The tags a template may use: an allow-list, since a tag that reads files or defines functions has no limit here.</summary>
internal static class LiquidTags
{
    private static readonly HashSet<string> Blocks =
        ["if", "unless", "case", "for", "tablerow", "capture", "comment", "raw", "ifchanged"];

    private static readonly HashSet<string> Allowed =
        [.. Blocks, .. Blocks.Select(name => "end" + name), "else", "elsif", "when", "assign", "increment", "decrement", "cycle", "break", "continue", "echo", "#"];

    public static bool IsAllowed(ReadOnlySpan<char> name) => Allowed.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name);

    public static bool Opens(ReadOnlySpan<char> name) => Blocks.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name);

    public static string WhyNot(ReadOnlySpan<char> name) => name switch
    {
        "include" or "render" or "layout" or "block" or "extends" or "section" or "import" or "from" =>
            $"The tag '{name}' loads other templates, which are not available here: put the text in place.",
        "macro" or "liquid" or "call" => $"The tag '{name}' is not available here.",
        "" => "A tag needs a name, for example {% if profile.vip %}.",
        _ when name.Length > 30 => "Unknown tag.",
        _ => $"Unknown tag '{name}'. Known are: {string.Join(", ", Allowed.Where(known => known[0] != '#').Order(StringComparer.Ordinal))}.",
    };
}
