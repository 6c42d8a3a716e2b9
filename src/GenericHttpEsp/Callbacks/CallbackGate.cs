using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Callbacks;

/// <summary>Lets in what this silo can take: bodies a second for each provider, and bytes under way for all.</summary>
internal sealed class CallbackGate(IOptions<CallbacksOptions> options, TimeProvider time)
{
    private const int ProvidersMax = 10_000;

    // A body that does not say its length is counted as a usual one.
    private const int UsualBytes = 256 * 1024;
    private readonly ConcurrentDictionary<long, Bucket> _buckets = new();
    private long _pendingBytes;

    /// <summary>Null: come back later. Otherwise disposed when the body is done.</summary>
    public IDisposable? TryEnter(long providerId, long? bytes)
    {
        if (_buckets.Count > ProvidersMax)
        {
            _buckets.Clear();
        }

        var size = bytes ?? UsualBytes;
        if (Interlocked.Add(ref _pendingBytes, size) > options.Value.PendingBytesMax
            || !_buckets.GetOrAdd(providerId, _ => new Bucket(options.Value, time)).TryTake())
        {
            Interlocked.Add(ref _pendingBytes, -size);
            return null;
        }

        return new Entry(this, size);
    }

    private sealed class Entry(CallbackGate gate, long bytes) : IDisposable
    {
        public void Dispose() => Interlocked.Add(ref gate._pendingBytes, -bytes);
    }

    private sealed class Bucket(CallbacksOptions options, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private double _tokens = options.BodiesBurst;
        private long _filledAt = time.GetTimestamp();

        public bool TryTake()
        {
            lock (_gate)
            {
                var seconds = time.GetElapsedTime(_filledAt).TotalSeconds;
                _filledAt = time.GetTimestamp();
                _tokens = Math.Min(options.BodiesBurst, _tokens + (seconds * options.BodiesPerSecond));
                if (_tokens < 1)
                {
                    return false;
                }

                _tokens--;
                return true;
            }
        }
    }
}
