namespace GenericHttpEsp.Providers;

/// <summary>A body: everything before the repeated part, one record, everything after it. Without batching the record is the whole body.</summary>
/// <param name="Head">Shared by the records.</param>
/// <param name="Record">One of them.</param>
/// <param name="Tail">Shared by the records.</param>
/// <param name="RepeatsScalar">The records are single values, mostly addresses.</param>
internal sealed record CompiledBody(
    IReadOnlyList<TemplateSegment> Head, IReadOnlyList<TemplateSegment> Record, IReadOnlyList<TemplateSegment> Tail, bool RepeatsScalar)
{
    public static readonly CompiledBody Nothing = new([], [], [], false);

    /// <summary>Between two records.</summary>
    public byte[] Separator { get; init; } = [];
}

/// <summary>What a body is taken for when no header says it.</summary>
internal static class ContentTypes
{
    public static string Of(string? bodyFormat) => bodyFormat switch
    {
        "form" => "application/x-www-form-urlencoded",
        "xml" => "application/xml; charset=utf-8",
        "text" => "text/plain; charset=utf-8",
        _ => "application/json",
    };
}
