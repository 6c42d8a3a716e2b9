using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>The judge finds what it is there to find.</summary>
public sealed class FireVerdictTests
{
    [Fact]
    public void Verdict_OfWhatTheLedgerSays_CountsNothing() =>
        Assert.Equal(new FireVerdict(0, 0, 0, 1), Of([["a", "b"]], ("a", RecordOutcome.Accepted), ("b", RecordOutcome.Unknown)));

    [Fact]
    public void Verdict_OfTwoRequestsWithOnePerson_FindsHim() =>
        Assert.Equal(1, Of([["a", "b"], ["b"]], ("a", RecordOutcome.Accepted), ("b", RecordOutcome.Accepted)).Twice);

    [Fact]
    public void Verdict_OfSomebodyAcceptedWhomTheEspNeverTook_IsALoss() =>
        Assert.Equal(1, Of([["a"]], ("a", RecordOutcome.Accepted), ("b", RecordOutcome.Accepted)).Lost);

    [Fact]
    public void Verdict_OfSomebodyInNoRowOrStillToCome_IsALoss() =>
        Assert.Equal(2, Of([["a"]], ("a", RecordOutcome.Accepted), ("b", RecordOutcome.ToCome), ("c", null)).Lost);

    [Fact]
    public void Verdict_OfSomebodyTakenWhomTheLedgerCallsRefused_IsADenial() =>
        Assert.Equal(1, Of([["a", "b"]], ("a", RecordOutcome.Accepted), ("b", RecordOutcome.Refused)).Denied);

    private static FireVerdict Of(string[][] requests, params (string Address, RecordOutcome? Outcome)[] people)
    {
        SandboxEntry[] log = [.. requests.Select(static (addresses, i) => new SandboxEntry(SandboxEntryKind.End, i + 1) { Accepted = addresses.Length, Addresses = addresses })];
        var outcomes = people.Where(static person => person.Outcome is not null).ToDictionary(static person => person.Address, static person => person.Outcome!.Value);
        return FireVerdict.Of(log, new FireLedger(outcomes, 0, new Dictionary<string, long>()), people.Length);
    }
}
