using System.Collections.Concurrent;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>When acknowledgements were read, on the clock of the sandbox's log, and who got mail after his.</summary>
internal sealed class AcknowledgementLog
{
    private readonly ConcurrentDictionary<string, long> _acknowledged = [];

    public int Count => _acknowledged.Count;

    public void Read(string email) => _acknowledged.TryAdd(email, TimeProvider.System.GetElapsedTime(0).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>By how many milliseconds a request's head was logged after the acknowledgement of somebody in it.</summary>
    public List<double> LateBy(IReadOnlyList<SandboxEntry> log)
    {
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.MonotonicMicroseconds);
        return
        [
            .. from entry in log
               from address in entry.Addresses ?? []
               where _acknowledged.TryGetValue(address, out var at) && heads[entry.Request] > at
               select (heads[entry.Request] - _acknowledged[address]) / 1000d,
        ];
    }
}
