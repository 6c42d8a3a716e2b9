using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>How one of the demo's campaigns ended: by the server's counters, by its recount, and by what the ESP saw.</summary>
/// <param name="Id">The campaign.</param>
/// <param name="Name">Its name.</param>
/// <param name="Stats">Its stats.</param>
/// <param name="Problems">What the recount (<c>verify</c>) found.</param>
/// <param name="Elapsed">From the start call to the end.</param>
/// <param name="Arrived">Messages of this campaign that the ESP took.</param>
/// <param name="Twice">Those of them that it took more than once.</param>
internal sealed record DemoResult(long Id, string Name, JsonElement Stats, IReadOnlyList<string> Problems, TimeSpan Elapsed, long Arrived, long Twice)
{
    private static readonly string[] Places = ["accepted", "refused", "failed", "skipped", "unknown", "toCome"];

    public string Status => Stats.GetProperty("status").GetString()!;

    public bool AddsUp => Number("audience") == Places.Sum(Number) && Problems.Count == 0;

    public bool IsGood => AddsUp && Twice == 0 && Status == "completed";

    public double MessagesPerSecond => Number("accepted") / Elapsed.TotalSeconds;

    public long Number(string member) => Stats.GetProperty(member).GetInt64();

    /// <summary>Null when the server does not count it.</summary>
    public long? NumberOrNone(string member) => Stats.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    public IEnumerable<(string Reason, long Count)> Skips => Stats.GetProperty("skippedByReason").EnumerateObject()
        .Select(static reason => (reason.Name, reason.Value.GetInt64())).Where(static reason => reason.Item2 > 0);
}
