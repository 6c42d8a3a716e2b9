using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Dispatch;

/// <summary>What becomes of a batch's records.</summary>
internal enum AnswerKind
{
    /// <summary>The ESP took them.</summary>
    Accepted,

    /// <summary>The ESP asked to come back; a request was made.</summary>
    Later,

    /// <summary>Nobody knows.</summary>
    Unknown,

    /// <summary>The ESP said no to them.</summary>
    Refused,

    /// <summary>Nothing reached the ESP: to be claimed again.</summary>
    NotSent,

    /// <summary>Too large: two halves.</summary>
    Halve,

    /// <summary>Somebody in it is refused: find out who.</summary>
    Bisect,

    /// <summary>The provider is set up wrongly: records wait, its campaigns pause.</summary>
    Configuration,
}

/// <summary>The reading of one answer.</summary>
/// <param name="Kind">What becomes of the records.</param>
/// <param name="Reason">For people: status and what it was taken for.</param>
internal sealed record AnswerMeaning(AnswerKind Kind, string Reason)
{
    /// <summary>Earliest next request, from now; zero means at once.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>A request was made, so it counts against the 8 attempts of a record.</summary>
    public bool CountsAsAttempt { get; init; } = true;

    /// <summary>The next request may repeat what the ESP has done already (counted in <c>possiblyRepeated</c>).</summary>
    public bool PossiblyRepeated { get; init; }

    /// <summary>The provider version's limit in bytes, learnt from a refusal by size.</summary>
    public long? LearnedBytesMax { get; init; }
}

/// <summary>What the sender knows beside the answer.</summary>
/// <param name="Records">Records in the request.</param>
/// <param name="RequestBytes">Size of the request's content.</param>
/// <param name="Attempt">Number of this attempt, from 1.</param>
/// <param name="NotSentInARow">Consecutive attempts of these records before this one that were not sent.</param>
internal sealed record AnswerContext(int Records, long RequestBytes, int Attempt = 1, int NotSentInARow = 0);

/// <summary>A provider's own reading of answers.</summary>
internal sealed record AnswerOverrides
{
    public static readonly AnswerOverrides None = new();

    public static AnswerOverrides Of(AnswersContract? answers) => answers is null ? None : new()
    {
        RetryOn500 = answers.On500 == "retry",
        ByStatus = (answers.Statuses ?? new Dictionary<string, string>()).ToDictionary(
            static pair => int.Parse(pair.Key, System.Globalization.CultureInfo.InvariantCulture),
            static pair => Enum.Parse<AnswerKind>(pair.Value, ignoreCase: true)),
    };

    /// <summary><c>answers.on500: retry</c>: a 500 of this ESP means that nothing was taken.</summary>
    public bool RetryOn500 { get; init; }

    /// <summary>Statuses with a meaning of their own.</summary>
    public IReadOnlyDictionary<int, AnswerKind> ByStatus { get; init; } = new Dictionary<int, AnswerKind>();
}
