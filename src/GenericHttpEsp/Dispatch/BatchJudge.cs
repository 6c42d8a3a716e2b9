using System.Text;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>Who has to wait for a person.</summary>
internal enum PauseScope
{
    Nobody,
    Campaign,
    Provider,
}

/// <param name="Report">For the ledger.</param>
/// <param name="Pause">Whom to pause before the report is written, so that its successors do not go out at once.</param>
/// <param name="Reason">In the ESP's own words.</param>
internal sealed record Verdict(BatchReport Report, PauseScope Pause, string Reason);

/// <summary>From an answer to what is recorded and who must pause.</summary>
internal sealed class BatchJudge(RefusalWatch watch, ProviderDesks desks, MetaKeyRing keys, ProfileStore profiles, Random random)
{
    private const int AnswerCharactersKept = 500;
    private const int AnswerBytesRead = 16 * 1024;
    private static readonly TimeSpan PausedDelay = TimeSpan.FromSeconds(5);

    /// <param name="template">What it was sent with.</param>
    /// <param name="ids">The people it held, in the order of the request.</param>
    /// <param name="claimed">Its row.</param>
    /// <param name="answer">What came back.</param>
    /// <param name="requestBytes">Size of its content.</param>
    public async Task<Verdict> JudgeAsync(RunTemplate template, long[] ids, ClaimedBatch claimed, EspAnswer answer, long requestBytes)
    {
        var verdict = await ReadAsync(template, ids, claimed, answer, requestBytes);
        if (!claimed.Repeats)
        {
            return verdict;
        }

        // "Refused" to a repetition may mean that the first request was taken: as long as nobody knows, it stays unknown.
        var outcomes = Array.ConvertAll(
            verdict.Report.Outcomes, static outcome => outcome == RecordOutcome.Refused ? RecordOutcome.Unknown : outcome);
        return verdict with { Report = verdict.Report with { Outcomes = outcomes } };
    }

    private async Task<Verdict> ReadAsync(RunTemplate template, long[] ids, ClaimedBatch claimed, EspAnswer answer, long requestBytes)
    {
        var meaning = Classify(template, ids.Length, claimed, answer, requestBytes);
        var words = Words(answer, meaning.Reason, template.Provider.Contract);
        if (meaning.LearnedBytesMax is { } learned)
        {
            await desks.Of(template.Provider).LearnAsync(template.Provider.Version, learned);
        }

        if (meaning.Kind == AnswerKind.Accepted)
        {
            return await AcceptedAsync(template, ids, claimed, answer, words);
        }

        if (meaning.Kind == AnswerKind.Configuration)
        {
            return new(Wait(claimed, words), PauseScope.Provider, words);
        }

        var refused = meaning.Kind == AnswerKind.Bisect || (meaning.Kind == AnswerKind.Refused && answer.Status is 400 or 422);
        return refused && watch.IsSystematic(template.CampaignId, template.Run, ids.Length, claimed.SplitOfFirst, answer.Status)
            ? new(Wait(claimed, words), PauseScope.Campaign, $"The ESP refuses everything: {words}")
            : new(ReportRules.Report(claimed.Id, claimed.Outcomes, meaning, words), PauseScope.Nobody, words);
    }

    private AnswerMeaning Classify(RunTemplate template, int records, ClaimedBatch claimed, EspAnswer answer, long requestBytes)
    {
        var context = new AnswerContext(records, requestBytes, claimed.Attempt + 1, claimed.BrokenOff);
        lock (random)
        {
            return AnswerRules.Classify(answer, context, AnswerOverrides.Of(template.Provider.Contract.Answers), random);
        }
    }

    /// <summary>A 2xx: everybody, or record by record where the provider says how to read it.</summary>
    private async Task<Verdict> AcceptedAsync(RunTemplate template, long[] ids, ClaimedBatch claimed, EspAnswer answer, string words)
    {
        RecordOutcome[]? outcomes = null;
        if (template.Provider.Contract.Response?.Records is { } rule)
        {
            outcomes = answer.BodyTruncated ? null : RecordAnswers.Read(answer.Body, rule, await RecordsAsync(ids, rule), keys);
            if (outcomes is null)
            {
                var unknown = new AnswerMeaning(AnswerKind.Unknown, "the answer's results cannot be read");
                return new(ReportRules.Report(claimed.Id, claimed.Outcomes, unknown, $"{unknown.Reason}: {words}"), PauseScope.Nobody, words);
            }
        }

        if (outcomes is null || outcomes.Contains(RecordOutcome.Accepted))
        {
            watch.NoteAccepted(template.CampaignId, template.Run);
        }

        return new(ReportRules.ByRecord(claimed.Id, claimed.Outcomes, outcomes, words), PauseScope.Nobody, words);
    }

    private async Task<List<SentRecord>> RecordsAsync(long[] ids, RecordsContract rule)
    {
        if (rule.MatchBy != "email")
        {
            return [.. ids.Select(static id => new SentRecord(id, null))];
        }

        var emails = (await profiles.ByIdsAsync(ids, CancellationToken.None)).ToDictionary(static profile => profile.Id, static profile => profile.Email);
        return [.. ids.Select(id => new SentRecord(id, emails.GetValueOrDefault(id)))];
    }

    /// <summary>Back to waiting as they are: the answer was not about the records.</summary>
    private static BatchReport Wait(ClaimedBatch claimed, string words) =>
        new(claimed.Id, claimed.Outcomes, [new(0, claimed.Outcomes.Length, PausedDelay, CountsAsAttempt: false)], words);

    /// <summary>The beginning of the answer, without our secrets and anybody's address: an ESP may quote them. Masked before it is cut, or half of one would stay.</summary>
    private static string Words(EspAnswer answer, string reason, ProviderContract provider)
    {
        if (answer.Body.IsEmpty)
        {
            return reason;
        }

        var told = Encoding.UTF8.GetString(answer.Body.Span[..Math.Min(answer.Body.Length, AnswerBytesRead)]).Replace('\0', ' ');
        var text = AddressMask.Apply(SecretRedaction.Redact(told, provider));
        return $"{reason}: {ShortText.Cut(text, AnswerCharactersKept)}";
    }
}
