namespace GenericHttpEsp.Providers;

/// <summary>One HTTP request, ready to go out. Stands in until the assembler's own arrives from the branch `content`.</summary>
internal sealed record AssembledRequest(
    HttpMethod Method, Uri Uri, IReadOnlyList<KeyValuePair<string, string>> Headers, IReadOnlyList<ReadOnlyMemory<byte>> Body, long ContentLength);
