using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>A claim is good for the send window, whatever happens to the process in between.</summary>
internal static class FireWindow
{
    private static readonly TimeSpan SendWindow = TimeSpan.FromMilliseconds(500);

    // From the gate to the log of a busy sandbox; far below the pause, which is what a late send would be late by.
    private static readonly TimeSpan OnTheWay = TimeSpan.FromMilliseconds(400);

    /// <summary>The head of every request to the campaign's people is here within the send window of its claim, by the clock that both processes share.</summary>
    public static async Task HoldsAsync(FireDriver bench, long campaign)
    {
        var ledger = await FireLedger.ReadAsync(bench, campaign);
        var log = bench.Sandbox.Entries();
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.At);
        // A row that was repeated knows its last claim alone.
        var ends = log.Where(entry => entry.Kind == SandboxEntryKind.End && ledger.Outcomes.ContainsKey(entry.Addresses![0]))
            .GroupBy(static entry => entry.BatchKey!).Select(static repeated => repeated.MaxBy(static entry => entry.Sequence)!).ToList();
        Assert.NotEmpty(ends);
        Assert.All(ends, end => Assert.InRange(
            heads[end.Request] - DateTimeOffset.FromUnixTimeMilliseconds(ledger.ClaimedAt[end.BatchKey!]), TimeSpan.FromMilliseconds(-1), SendWindow + OnTheWay));
    }
}
