namespace GenericHttpEsp.Sandbox;

/// <summary>Batch keys under which something was accepted, with the hash of the body and the request that did it.</summary>
internal sealed class SandboxBatchKeys(int keysMax, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Accepted> _accepted = new(StringComparer.Ordinal);
    private readonly Queue<string> _oldest = new();

    public enum Claim
    {
        New,
        Repetition,
        OtherBody,
    }

    /// <summary>Takes the key for this request, or says which request has it. Atomic: of two requests at once one accepts.</summary>
    public (Claim Claim, long Request) Take(string key, byte[] bodyHash, long request, int lifetimeSeconds)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (_accepted.TryGetValue(key, out var earlier) && now < earlier.Until)
            {
                return (earlier.BodyHash.AsSpan().SequenceEqual(bodyHash) ? Claim.Repetition : Claim.OtherBody, earlier.Request);
            }

            if (earlier is null)
            {
                _oldest.Enqueue(key);
                if (_oldest.Count > keysMax)
                {
                    _accepted.Remove(_oldest.Dequeue());
                }
            }

            _accepted[key] = new(bodyHash, request, now.AddSeconds(lifetimeSeconds));
            return (Claim.New, request);
        }
    }

    private sealed record Accepted(byte[] BodyHash, long Request, DateTimeOffset Until);
}
