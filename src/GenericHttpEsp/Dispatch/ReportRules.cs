namespace GenericHttpEsp.Dispatch;

/// <summary>From the meaning of an answer to what the ledger writes.</summary>
internal static class ReportRules
{
    /// <param name="batchId">The claimed row.</param>
    /// <param name="outcomes">As claimed: only those to come were sent.</param>
    /// <param name="meaning">Of the answer.</param>
    /// <param name="answer">What the ESP said, for people.</param>
    public static BatchReport Report(long batchId, RecordOutcome[] outcomes, AnswerMeaning meaning, string? answer) => meaning.Kind switch
    {
        AnswerKind.Accepted => new(batchId, All(outcomes, RecordOutcome.Accepted), [], answer),
        AnswerKind.Refused => new(batchId, All(outcomes, RecordOutcome.Refused), [], answer),
        AnswerKind.Unknown => new(batchId, All(outcomes, RecordOutcome.Unknown), [], answer),
        AnswerKind.Halve or AnswerKind.Bisect => new(batchId, outcomes, Halves(outcomes, meaning), answer),
        AnswerKind.NotSent => new(batchId, outcomes, [new(0, outcomes.Length, meaning.Wait, meaning.CountsAsAttempt, meaning.Wait > TimeSpan.Zero)], answer),
        _ => new(batchId, outcomes, [new(0, outcomes.Length, meaning.Wait, meaning.CountsAsAttempt)], answer, meaning.PossiblyRepeated),
    };

    /// <summary>An accepted request: those the answer refuses are refused, those it does not mention go on.</summary>
    /// <param name="results">For each record sent; null accepts them all.</param>
    public static BatchReport ByRecord(long batchId, RecordOutcome[] outcomes, RecordOutcome[]? results, string? answer)
    {
        var news = All(outcomes, RecordOutcome.Accepted);
        var sent = 0;
        for (var i = 0; i < outcomes.Length && results is not null; i++)
        {
            news[i] = outcomes[i] == RecordOutcome.ToCome ? results[sent++] : outcomes[i];
        }

        return new(batchId, news, [new(0, outcomes.Length, AnswerRules.WaitMin, CountsAsAttempt: true)], answer);
    }

    private static RecordOutcome[] All(RecordOutcome[] outcomes, RecordOutcome news) =>
        Array.ConvertAll(outcomes, outcome => outcome == RecordOutcome.ToCome ? news : outcome);

    /// <summary>Two rows with half of the sent records each. No attempt of theirs: the refusal was not about each of them, and 1000 take 10 splits.</summary>
    private static Successor[] Halves(RecordOutcome[] outcomes, AnswerMeaning meaning)
    {
        var live = Enumerable.Range(0, outcomes.Length).Where(i => outcomes[i] == RecordOutcome.ToCome).ToArray();
        var middle = live.Length > 1 ? live[live.Length / 2] : outcomes.Length;
        return
        [
            new(0, middle, meaning.Wait, CountsAsAttempt: false),
            new(middle, outcomes.Length - middle, meaning.Wait, CountsAsAttempt: false),
        ];
    }
}
