namespace GenericHttpEsp.Dispatch;

/// <summary>What an answer means. Pure: the whole table, and how long to wait.</summary>
internal static class AnswerRules
{
    public static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(15);

    /// <summary>An unreachable ESP is tried again at least this often.</summary>
    public static readonly TimeSpan NotSentWaitMax = TimeSpan.FromMinutes(1);

    // Only upwards: no request is earlier than the ESP allowed.
    private const double Jitter = 0.2;
    private const double LearnedShare = 0.9;

    public static AnswerMeaning Classify(EspAnswer answer, AnswerContext context, AnswerOverrides overrides, Random random) => answer.Kind switch
    {
        EspAnswerKind.GateMissed => new AnswerMeaning(AnswerKind.NotSent, answer.Detail) { CountsAsAttempt = false },
        EspAnswerKind.NotSent => NotSent(answer, context, random),
        EspAnswerKind.NoAnswer => new AnswerMeaning(AnswerKind.Unknown, $"no answer: {answer.Detail}"),
        EspAnswerKind.Answered => ByStatus(answer, context, overrides, random),
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer.Kind, null),
    };

    /// <summary>The meaning of a status by the table, before overrides.</summary>
    public static AnswerKind KindOf(int status) => status switch
    {
        >= 200 and <= 299 => AnswerKind.Accepted,
        408 or 420 or 425 or 429 or 503 => AnswerKind.Later,
        413 => AnswerKind.Halve,
        400 or 422 => AnswerKind.Bisect,
        401 or 402 or 403 or 404 or 405 or 406 or 410 or 411 or 415 or 421 => AnswerKind.Configuration,
        >= 300 and <= 399 => AnswerKind.Configuration,
        >= 400 and <= 499 => AnswerKind.Refused,

        // 500, 502, 504, 520 to 527, other 5xx, and what is no final status at all.
        _ => AnswerKind.Unknown,
    };

    /// <summary>The answer's wish or a doubling pause, within 1 s and 15 min, with jitter that never shortens it.</summary>
    public static TimeSpan LaterWait(TimeSpan? retryAfter, int attempt, Random random) =>
        Spread(retryAfter ?? Doubling(attempt), WaitMax, random);

    private static AnswerMeaning ByStatus(EspAnswer answer, AnswerContext context, AnswerOverrides overrides, Random random)
    {
        var reason = $"status {answer.Status}";
        if (answer.Status == 500 && overrides.RetryOn500 && !overrides.ByStatus.ContainsKey(500))
        {
            return new AnswerMeaning(AnswerKind.Later, reason) { Wait = LaterWait(answer.RetryAfter, context.Attempt, random), PossiblyRepeated = true };
        }

        var kind = overrides.ByStatus.TryGetValue(answer.Status, out var own) ? own : KindOf(answer.Status);
        return kind switch
        {
            AnswerKind.Later => new AnswerMeaning(kind, reason) { Wait = LaterWait(answer.RetryAfter, context.Attempt, random) },
            AnswerKind.Halve => Halve(reason, context),
            AnswerKind.Bisect when context.Records <= 1 => new AnswerMeaning(AnswerKind.Refused, reason),
            AnswerKind.NotSent => new AnswerMeaning(kind, reason) { Wait = LaterWait(answer.RetryAfter, context.Attempt, random) },
            _ => new AnswerMeaning(kind, reason),
        };
    }

    private static AnswerMeaning NotSent(EspAnswer answer, AnswerContext context, Random random)
    {
        // A request that breaks off half-way again may be too large for the ESP. One whose connection never came about says nothing of its size: halving
        // there would grind every batch down to single records during an outage.
        if (answer.BytesHandedOver > 0 && context is { NotSentInARow: >= 1, Records: > 1 })
        {
            return Halve($"broken off twice: {answer.Detail}", context) with { CountsAsAttempt = false };
        }

        return new AnswerMeaning(AnswerKind.NotSent, $"not sent: {answer.Detail}")
        {
            Wait = Spread(Doubling(context.NotSentInARow), NotSentWaitMax, random),
            CountsAsAttempt = false,
        };
    }

    private static AnswerMeaning Halve(string reason, AnswerContext context) =>
        new(context.Records > 1 ? AnswerKind.Halve : AnswerKind.Refused, reason)
        {
            LearnedBytesMax = context.Records > 1 ? (long)(context.RequestBytes * LearnedShare) : null,
        };

    private static TimeSpan Doubling(int times) => WaitMin * Math.Pow(2, Math.Clamp(times, 0, 20));

    private static TimeSpan Spread(TimeSpan wait, TimeSpan most, Random random)
    {
        var least = wait < WaitMin ? WaitMin : wait;
        var spread = least > most ? most : least * (1 + (Jitter * random.NextDouble()));
        return spread > most ? most : spread;
    }
}
