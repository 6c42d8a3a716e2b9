namespace GenericHttpEsp.Sandbox;

/// <summary>A request as it arrived; the body after gzip was taken off, so that bytes can be compared.</summary>
public sealed record SandboxRequest(
    long Request, string Method, string PathAndQuery, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>The first header of the name, in any case.</summary>
    public string? Header(string name) =>
        Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();
}

/// <summary>The last requests, whole.</summary>
internal sealed class SandboxRequests(int keep, int bodyBytesMax)
{
    private readonly Lock _lock = new();
    private readonly Queue<SandboxRequest> _kept = new();

    /// <summary>A body over the bound, and every body when none are kept, is left out.</summary>
    public void Keep(long number, HttpRequest request, ReadOnlySpan<byte> body)
    {
        if (keep == 0 || body.Length > bodyBytesMax)
        {
            return;
        }

        var headers = request.Headers.SelectMany(header => header.Value, (header, value) => KeyValuePair.Create(header.Key, value ?? ""));
        var path = request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
        var kept = new SandboxRequest(number, request.Method, path, [.. headers], body.ToArray());
        lock (_lock)
        {
            _kept.Enqueue(kept);
            if (_kept.Count > keep)
            {
                _kept.Dequeue();
            }
        }
    }

    public IReadOnlyList<SandboxRequest> All()
    {
        lock (_lock)
        {
            return [.. _kept];
        }
    }
}
