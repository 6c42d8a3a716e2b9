using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class AnswerRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<int, string> Statuses
    {
        get
        {
            var rows = new TheoryData<int, string>();
            void Add(AnswerKind kind, params IEnumerable<int> statuses) => statuses.ToList().ForEach(status => rows.Add(status, kind.ToString()));
            Add(AnswerKind.Accepted, Enumerable.Range(200, 100));
            Add(AnswerKind.Configuration, Enumerable.Range(300, 100));
            Add(AnswerKind.Later, 408, 420, 425, 429, 503);
            Add(AnswerKind.Unknown, [101, .. Enumerable.Range(500, 100).Except([503]), 600, 999]);
            Add(AnswerKind.Halve, 413);
            Add(AnswerKind.Bisect, 400, 422);
            Add(AnswerKind.Configuration, 401, 402, 403, 404, 405, 406, 410, 411, 415, 421);
            Add(AnswerKind.Refused, 407, 409, 412, 414, 416, 417, 418, 419, 423, 424, 426, 428, 431, 451, 499);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Statuses))]
    public void Status_OfABatch_MeansWhatTheTableSays(int status, string kind)
    {
        var meaning = Classify(Answered(status));

        Assert.Equal(kind, meaning.Kind.ToString());
        Assert.True(meaning.CountsAsAttempt);
        Assert.False(meaning.PossiblyRepeated);
        Assert.Equal(kind == nameof(AnswerKind.Later), meaning.Wait >= TimeSpan.FromSeconds(1));
        Assert.Equal(status == 413 ? 900 : null, meaning.LearnedBytesMax);
        Assert.Equal($"status {status}", meaning.Reason);
    }

    [Theory]
    [InlineData(413)]
    [InlineData(400)]
    [InlineData(422)]
    public void Refusal_OfASingleRecord_RefusesIt(int status)
    {
        var meaning = Classify(Answered(status), records: 1);

        Assert.Equal((AnswerKind.Refused, null), (meaning.Kind, meaning.LearnedBytesMax));
    }

    [Fact]
    public void NoAnswer_IsUnknown() => Assert.Equal(AnswerKind.Unknown, Classify(new EspAnswer(EspAnswerKind.NoAnswer)).Kind);

    [Fact]
    public void MissedGate_IsClaimedAgainAtOnceAndIsNoAttempt()
    {
        var meaning = Classify(new EspAnswer(EspAnswerKind.GateMissed));

        Assert.Equal((AnswerKind.NotSent, TimeSpan.Zero, false), (meaning.Kind, meaning.Wait, meaning.CountsAsAttempt));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 8)]
    [InlineData(6, 60)]
    [InlineData(1000, 60)]
    public void NotSent_BacksOffUpToAMinuteAndIsNoAttempt(int before, int seconds)
    {
        var meaning = Classify(new EspAnswer(EspAnswerKind.NotSent), notSentInARow: before);

        Assert.Equal((AnswerKind.NotSent, false), (meaning.Kind, meaning.CountsAsAttempt));
        Assert.InRange(meaning.Wait.TotalSeconds, seconds, Math.Min(60, seconds * 1.2));
    }

    [Theory]
    [InlineData(0, 500, 2, nameof(AnswerKind.NotSent))]
    [InlineData(1, 500, 2, nameof(AnswerKind.Halve))]
    [InlineData(1, 500, 1, nameof(AnswerKind.NotSent))]
    [InlineData(9, 0, 1000, nameof(AnswerKind.NotSent))]
    public void BrokenOffTwice_IsTakenForTooLarge(int before, long handedOver, int records, string kind)
    {
        var meaning = Classify(new EspAnswer(EspAnswerKind.NotSent) { BytesHandedOver = handedOver }, records, notSentInARow: before);

        Assert.Equal((kind, false), (meaning.Kind.ToString(), meaning.CountsAsAttempt));
        Assert.Equal(kind == nameof(AnswerKind.Halve) ? 900 : null, meaning.LearnedBytesMax);
    }

    [Theory]
    [InlineData(null, 1, 2)]
    [InlineData(null, 4, 16)]
    [InlineData(null, 8, 256)]
    [InlineData(null, 100, 900)]
    [InlineData("0", 1, 1)]
    [InlineData("30", 5, 30)]
    [InlineData("1000000000", 1, 900)]
    [InlineData("99999999999999999999999", 1, 900)]
    [InlineData("-5", 1, 2)]
    [InlineData("1e9", 1, 2)]
    [InlineData("soon", 1, 2)]
    [InlineData("", 1, 2)]
    [InlineData("Tue, 24 Nov 2026 12:01:00 GMT", 1, 60)]
    [InlineData("Tue, 24 Nov 2026 11:00:00 GMT", 1, 1)]
    [InlineData("Tue, 24 Nov 2099 12:00:00 GMT", 1, 900)]
    public void Later_WaitsWithinASecondAndFifteenMinutesAndNeverShorter(string? retryAfter, int attempt, int seconds)
    {
        var waits = Enumerable.Range(0, 200)
            .Select(seed => AnswerRules.LaterWait(RetryAfterHeader.Parse(retryAfter, Now), attempt, new Random(seed)).TotalSeconds)
            .ToList();

        Assert.All(waits, wait => Assert.InRange(wait, seconds, Math.Min(900, seconds * 1.2)));
        Assert.Equal(seconds < 900, waits.Distinct().Count() > 1);
    }

    [Fact]
    public void On500Retry_ComesLaterAndIsPossiblyRepeated()
    {
        var meaning = Classify(Answered(500), overrides: new AnswerOverrides { RetryOn500 = true });

        Assert.Equal((AnswerKind.Later, true), (meaning.Kind, meaning.PossiblyRepeated));
        Assert.Equal(AnswerKind.Unknown, Classify(Answered(502), overrides: new AnswerOverrides { RetryOn500 = true }).Kind);
    }

    [Fact]
    public void Override_OfAStatus_GoesBeforeTheTable()
    {
        var overrides = new AnswerOverrides { ByStatus = new Dictionary<int, AnswerKind> { [403] = AnswerKind.Later, [202] = AnswerKind.Bisect } };

        Assert.Equal(AnswerKind.Later, Classify(Answered(403) with { RetryAfter = TimeSpan.FromSeconds(9) }, overrides: overrides).Kind);
        Assert.Equal(AnswerKind.Refused, Classify(Answered(202), records: 1, overrides: overrides).Kind);
        Assert.Equal(AnswerKind.Accepted, Classify(Answered(200), overrides: overrides).Kind);
    }

    private static EspAnswer Answered(int status) => new(EspAnswerKind.Answered) { Status = status };

    private static AnswerMeaning Classify(EspAnswer answer, int records = 500, int notSentInARow = 0, AnswerOverrides? overrides = null) =>
        AnswerRules.Classify(answer, new AnswerContext(records, 1000, 1, notSentInARow), overrides ?? AnswerOverrides.None, new Random(7));
}
