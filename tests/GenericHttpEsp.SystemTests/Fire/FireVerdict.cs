using System.Globalization;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>What the sandbox's log says of a campaign that is over.</summary>
/// <param name="Lost">Whom neither the log nor the ledger accounts for, or whom the ledger calls accepted and the ESP never took.</param>
/// <param name="Twice">Whom the ESP took more than once.</param>
/// <param name="Denied">Whom the ESP took, while the ledger says neither accepted nor unknown.</param>
/// <param name="Unknown">Whom the ledger calls unknown.</param>
internal sealed record FireVerdict(int Lost, int Twice, int Denied, int Unknown)
{
    /// <summary>
    /// The campaign completes by itself; the recount holds; nobody is lost, twice or denied; unknown is at most what was on the wire; the servers end orderly.
    /// </summary>
    public static async Task<FireVerdict> HoldsAsync(FireDriver bench, long campaign, int people, int unknownMax)
    {
        var verdict = await JudgeAsync(bench, campaign, people, unknownMax);
        await bench.EndServersAsync();
        return verdict;
    }

    /// <summary>The same of a campaign to a list, and the servers go on.</summary>
    /// <param name="bench">Its servers.</param>
    /// <param name="campaign">Running.</param>
    /// <param name="people">Of the list.</param>
    /// <param name="unknownMax">Whose answers are lost.</param>
    /// <param name="list">Domain of their addresses.</param>
    /// <param name="log">Of the ESP that has the mail. Unset: the bench's sandbox.</param>
    /// <param name="status">How it ends.</param>
    public static async Task<FireVerdict> JudgeAsync(
        FireDriver bench, long campaign, int people, int unknownMax, string list = FireDriver.Everybody, Func<IReadOnlyList<SandboxEntry>>? log = null, string status = "completed")
    {
        var stats = await bench.EndAsync(campaign, status);
        var audit = await FireDriver.OkAsync(bench.Door.GetAsync($"/v1/campaigns/{campaign}/verify"));
        Assert.Empty(audit["problems"]!.AsArray());
        Assert.Equal(people, (int)stats["audience"]!);
        Assert.Equal(people, (int)stats["accepted"]! + (int)stats["unknown"]! + (int)stats["skipped"]!);

        var verdict = Of(log is null ? bench.Sandbox.Entries() : log(), await FireLedger.ReadAsync(bench, campaign), people, list);
        Assert.Equal((0, 0, 0), (verdict.Lost, verdict.Twice, verdict.Denied));
        Assert.Equal(verdict.Unknown, (int)stats["unknown"]!);
        Assert.InRange(verdict.Unknown, 0, unknownMax);
        return verdict;
    }

    public static FireVerdict Of(IReadOnlyList<SandboxEntry> log, FireLedger ledger, int people, string? list = null)
    {
        var taken = log.SelectMany(static entry => entry.AcceptedAddresses)
            .Where(address => list is null || address.EndsWith($"@{list}.com", StringComparison.Ordinal))
            .GroupBy(static address => address).ToDictionary(static one => one.Key, static one => one.Count());
        var lost = people - ledger.Outcomes.Count(person => person.Value switch
        {
            RecordOutcome.ToCome => false,
            RecordOutcome.Accepted => taken.ContainsKey(person.Key),
            _ => true,
        });
        var denied = taken.Keys.Count(address => ledger.Outcomes.GetValueOrDefault(address) is not (RecordOutcome.Accepted or RecordOutcome.Unknown));
        return new FireVerdict(lost, taken.Count(static one => one.Value > 1), denied, ledger.Unknown);
    }

    /// <summary>A row of the table that <c>GHE_FIRE_REPORT</c> names: fault, runs, lost, twice, unknown, seconds to recover.</summary>
    public void Report(string fault, int runs, TimeSpan recovery)
    {
        var row = string.Create(CultureInfo.InvariantCulture, $"| {fault} | {runs} | {Lost} | {Twice} | {Unknown} | {recovery.TotalSeconds:f1} |");
        TestContext.Current.TestOutputHelper?.WriteLine(row);
        if (Environment.GetEnvironmentVariable("GHE_FIRE_REPORT") is { Length: > 0 } path)
        {
            File.AppendAllText(path, row + "\n");
        }
    }
}
