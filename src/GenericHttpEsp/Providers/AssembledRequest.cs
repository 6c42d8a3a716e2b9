namespace GenericHttpEsp.Providers;

/// <param name="Name">A valid token.</param>
/// <param name="Value">One character a byte (Latin-1): set the client's header encoding to Latin-1, so that UTF-8 reaches the wire as it is.</param>
/// <param name="Secret">Never shown or logged.</param>
internal readonly record struct AssembledHeader(string Name, string Value, bool Secret);

/// <summary>One HTTP request. Preview, test and dispatch all get it from <see cref="BoundTemplate.Assemble"/>.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Uri">With the query of a GET.</param>
/// <param name="Headers">In order; Content-Type among them when there is a body.</param>
/// <param name="Body">The body's bytes in order, in pieces that refer to the records; empty for GET.</param>
/// <param name="ContentLength">The sum of the pieces.</param>
/// <param name="Gzip">The body goes out compressed; the pieces are what it is before.</param>
internal sealed record AssembledRequest(
    string Method, Uri Uri, IReadOnlyList<AssembledHeader> Headers, IReadOnlyList<ReadOnlyMemory<byte>> Body, long ContentLength, bool Gzip = false);
