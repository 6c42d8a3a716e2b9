namespace GenericHttpEsp.Tests.Api;

/// <summary>What a route reads as its body.</summary>
internal enum HostileBody
{
    None,

    /// <summary>A JSON object that must be there and be called JSON.</summary>
    Json,

    /// <summary>JSON, or nothing at all.</summary>
    OptionalJson,

    /// <summary>The specification's callback: unknown members are ignored, bad events are answered one by one.</summary>
    Callback,

    /// <summary>NDJSON or CSV, streamed: bad lines are answered one by one.</summary>
    Lines,

    /// <summary>Read and thrown away.</summary>
    Ignored,
}

/// <summary>One mapped route and the input it takes: all hostile cases are made from this.</summary>
internal sealed record HostileRoute(string Method, string Pattern, HostileBody Body = HostileBody.None)
{
    /// <summary>Open to callers without a key; the path's token is the permission, or there is nothing to protect.</summary>
    public bool IsPublic { get; init; }

    /// <summary>A body that is taken, with every member of the contract; <c>{unique}</c>, <c>{provider}</c> and <c>{email}</c> are filled in.</summary>
    public string? Sample { get; init; }

    /// <summary>Pointers under which any JSON may stand.</summary>
    public string[] Free { get; init; } = [];

    /// <summary>Pointers of members that the sample cannot hold beside the others.</summary>
    public string[] Absent { get; init; } = [];

    /// <summary>Names the handler reads from the query.</summary>
    public string[] Query { get; init; } = [];

    /// <summary>What it changes answers an <c>ETag</c> to GET, and it takes <c>If-Match</c>.</summary>
    public bool HasETag { get; init; }

    /// <summary>Takes <c>Idempotency-Key</c>.</summary>
    public bool IsIdempotent { get; init; }

    public bool IsJson => Body is HostileBody.Json or HostileBody.OptionalJson;

    public bool IsFree(string pointer) => Free.Any(free => pointer == free || pointer.StartsWith(free + "/", StringComparison.Ordinal));

    public override string ToString() => $"{Method} {Pattern}";
}
