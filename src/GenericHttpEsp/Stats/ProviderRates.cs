using System.Collections.Concurrent;

namespace GenericHttpEsp.Stats;

/// <summary>What came back for a provider in the last hour, as this silo has seen it.</summary>
internal sealed class ProviderRates(TimeProvider time)
{
    private const int ProvidersMax = 10_000;
    private const int Minutes = 60;
    private readonly ConcurrentDictionary<long, Window> _windows = new();

    public void Note(IReadOnlyList<EventRow> added)
    {
        if (_windows.Count > ProvidersMax)
        {
            _windows.Clear();
        }

        foreach (var provider in added.GroupBy(static row => row.ProviderId))
        {
            _windows.GetOrAdd(provider.Key, static _ => new Window()).Add(Minute(), provider.Select(static row => row.Key.Type));
        }
    }

    public EventCounts LastHour(long providerId) => _windows.TryGetValue(providerId, out var window) ? window.Sum(Minute()) : EventCounts.None;

    private long Minute() => time.GetUtcNow().ToUnixTimeSeconds() / 60;

    /// <summary>A ring of minutes.</summary>
    private sealed class Window
    {
        private readonly Lock _gate = new();
        private readonly (long Minute, EventCounts? Counts)[] _ring = new (long, EventCounts?)[Minutes];

        public void Add(long minute, IEnumerable<EventType> types)
        {
            var counts = EventCounts.Of(types);
            lock (_gate)
            {
                ref var place = ref _ring[minute % Minutes];
                place = (minute, place.Minute == minute && place.Counts is { } before ? before + counts : counts);
            }
        }

        public EventCounts Sum(long minute)
        {
            lock (_gate)
            {
                return _ring.Where(place => place.Minute > minute - Minutes).Aggregate(EventCounts.None, static (sum, place) => sum + (place.Counts ?? EventCounts.None));
            }
        }
    }
}
