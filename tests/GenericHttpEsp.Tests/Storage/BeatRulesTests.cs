using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class BeatRulesTests
{
    private const string Mine = "5000 a";

    /// <summary>Columns: the database's beat, its timeline (1 at that beat), unbroken, what this silo saw, what it was about to write, a failover is trusted.</summary>
    [Theory]
    [InlineData(null, 1, false, null, null, false, "Known", "")]
    [InlineData(null, 1, false, Mine, null, false, "Known", "")]
    [InlineData(Mine, 1, true, null, null, false, "Known", "")]
    [InlineData(Mine, 1, true, Mine, null, false, "Known", "")]
    [InlineData("9000 b", 1, true, Mine, null, false, "Known", "")]
    // A crash of the server while no silo ran.
    [InlineData(Mine, 1, false, Mine, null, false, "Known", "")]
    [InlineData("6000 b", 1, false, Mine, "6000 b", false, "Known", "")]
    [InlineData("6000 c", 1, false, Mine, "6000 b", false, "Doubtful", "no silo is left")]
    [InlineData(Mine, 1, false, null, null, false, "Doubtful", "no silo is left")]
    [InlineData("9000 b", 1, false, Mine, null, false, "Doubtful", "no silo is left")]
    // Older than what was seen, whatever the server says of itself.
    [InlineData("4000 z", 1, false, Mine, null, false, "Restored", "1.0 seconds older")]
    [InlineData("4000 z", 1, true, Mine, null, false, "Restored", "1.0 seconds older")]
    [InlineData("5000 z", 1, true, Mine, null, false, "Restored", "older")]
    [InlineData("4000 z", 1, true, Mine, null, true, "Restored", "older")]
    // A standby took over, or a recovery to a point in time, while no silo ran.
    [InlineData(Mine, 2, false, Mine, null, false, "Restored", "timeline changed from 1 to 2")]
    [InlineData(Mine, 2, false, Mine, null, true, "Known", "")]
    [InlineData(Mine, 2, false, null, null, true, "Doubtful", "no silo is left")]
    public void Judge_BelievesWhoRemembers(
        string? last, int timeline, bool isUnbroken, string? seen, string? next, bool trustsFailover, string verdict, string because)
    {
        var row = new BeatRow(last is null ? null : Beat.Parse(last), 1, timeline, isUnbroken, 10_000);
        var memory = seen is null ? null : new BeatMemory(Beat.Parse(seen)!, next is null ? null : Beat.Parse(next));

        var judgement = BeatRules.Judge(row, memory, trustsFailover);

        Assert.Equal(verdict, judgement.Verdict.ToString());
        Assert.Contains(because, judgement.Because, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5999, true)]
    [InlineData(6000, false)]
    [InlineData(4999, false)]
    public void IsFresh_AfterTheClockWentBack_IsNot(long now, bool isFresh) =>
        Assert.Equal(isFresh, new BeatRow(Beat.Parse(Mine), 1, 1, true, now).IsFresh(TimeSpan.FromSeconds(1)));

    [Theory]
    [InlineData("")]
    [InlineData("5000")]
    [InlineData("x a")]
    [InlineData("5000 a b")]
    public void Parse_OfAnythingElse_IsNull(string line) => Assert.Null(Beat.Parse(line));
}
