using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>A claim is good for the send window, whatever happens to the process in between.</summary>
internal static class FireWindow
{
    private static readonly TimeSpan SendWindow = TimeSpan.FromMilliseconds(500);

    // From the gate to the log of a busy sandbox; far below the pause, which is what a late send would be late by.
    private static readonly TimeSpan OnTheWay = TimeSpan.FromMilliseconds(400);

    /// <summary>Every request's head is here within the send window of its claim, by the clock that both processes share.</summary>
    public static async Task HoldsAsync(FireDriver bench, long campaign)
    {
        var claimedAt = (await FireLedger.ReadAsync(bench, campaign)).ClaimedAt;
        var log = bench.Sandbox.Entries();
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.At);
        var ends = log.Where(static entry => entry.Kind == SandboxEntryKind.End).ToList();
        Assert.NotEmpty(ends);
        Assert.All(ends, end => Assert.InRange(
            heads[end.Request] - DateTimeOffset.FromUnixTimeMilliseconds(claimedAt[end.BatchKey!]), TimeSpan.FromMilliseconds(-1), SendWindow + OnTheWay));
    }
}
