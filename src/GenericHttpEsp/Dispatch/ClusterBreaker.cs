namespace GenericHttpEsp.Dispatch;

/// <summary>
/// What the silos tell each other of a provider's failures, so that its breaker opens everywhere when those of all have filled the count, and one of all looks
/// whether it is back. Nothing is told while all is well. Each silo closes by a good answer of its own: its way to the ESP may be another's.
/// </summary>
/// <param name="providerId">Of the provider.</param>
/// <param name="policy">This silo's breaker. It counts for itself as well, for as long as the database cannot be told.</param>
/// <param name="store">Of the cluster's row.</param>
/// <param name="options">Count and pause.</param>
/// <param name="alone">There is no other silo: only the leave to probe is asked for.</param>
/// <param name="time">Its monotonic clock.</param>
/// <param name="logger">For what could not be told.</param>
internal sealed partial class ClusterBreaker(
    long providerId, AttemptPolicy policy, DeskStore store, DispatchOptions options, bool alone, TimeProvider time, ILogger<ClusterBreaker> logger)
{
    // Each stream that waits asks once a second. What is asked for all of them costs the cluster's row two statements a second and silo.
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LetOthers = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task _told = Task.CompletedTask;
    private long _goodAt = long.MinValue;
    private long _askFrom = long.MinValue;
    private int _untold;
    private int _toEnd;

    /// <summary>After the breaker's pause: whether a request of this silo goes ahead to see if the ESP is back. One in a pause does, over the cluster.</summary>
    public async Task<bool> TryProbeAsync(CancellationToken cancellationToken)
    {
        if (!IsTimeToAsk() || !await store.TryProbeAsync(providerId, options.BreakerPause, cancellationToken))
        {
            return false;
        }

        if (!alone)
        {
            // Should it fail, this silo is the first to know when the pause is over: one with a better way to the ESP asks in between.
            Interlocked.Exchange(ref _askFrom, After(options.BreakerPause + LetOthers));
        }

        Volatile.Write(ref _toEnd, 1);
        return true;
    }

    /// <summary>What a request brought, after this silo's own breaker has seen it. Completes when the others can know; never fails.</summary>
    public Task NoteAsync(EspAnswer answer)
    {
        if (answer.Kind == EspAnswerKind.GateMissed)
        {
            return Task.CompletedTask;
        }

        if (AttemptPolicy.IsFailure(answer))
        {
            return alone ? Task.CompletedTask : NoteFailureAsync();
        }

        Interlocked.Exchange(ref _goodAt, time.GetTimestamp());
        // While this breaker is open only its probe counts; what was on the wire before says nothing of now.
        if (Volatile.Read(ref _toEnd) == 0 || !policy.IsClosed || Interlocked.Exchange(ref _toEnd, 0) == 0)
        {
            return Task.CompletedTask;
        }

        Interlocked.Exchange(ref _untold, 0);
        return InTurnAsync(EndAsync);
    }

    /// <summary>The cluster's row as it was found beside something else. A silo that had a good answer since it began knows better.</summary>
    public Task HearAsync(FailureRow row) =>
        row.Failures >= options.BreakerFailures && !(SinceGood is { } since && since < row.Age) ? policy.OpenAsync() : Task.CompletedTask;

    /// <summary>The same, looked for.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!alone)
        {
            await HearAsync((await store.FailingAsync(options.BreakerFailures, cancellationToken)).Find(row => row.ProviderId == providerId));
        }
    }

    private bool IsTimeToAsk() =>
        Interlocked.Read(ref _askFrom) is var from && time.GetTimestamp() >= from && Interlocked.CompareExchange(ref _askFrom, After(AskEvery), from) == from;

    private long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    private TimeSpan? SinceGood => Interlocked.Read(ref _goodAt) is var at && at == long.MinValue ? null : time.GetElapsedTime(at);

    private Task NoteFailureAsync()
    {
        Interlocked.Increment(ref _untold);
        Volatile.Write(ref _toEnd, 1);
        return InTurnAsync(TellAsync);
    }

    private async Task TellAsync()
    {
        // What failed beside the word before this one is told at once.
        var failures = Interlocked.Exchange(ref _untold, 0);
        if (failures == 0)
        {
            return;
        }

        try
        {
            if ((await store.AddFailuresAsync(providerId, failures, SinceGood, CancellationToken.None)).Failures >= options.BreakerFailures)
            {
                await policy.OpenAsync();
            }
        }
        catch
        {
            // With the next one.
            Interlocked.Add(ref _untold, failures);
            throw;
        }
    }

    private async Task EndAsync()
    {
        try
        {
            await store.EndFailuresAsync(providerId, CancellationToken.None);
        }
        catch
        {
            // With the next good one.
            Volatile.Write(ref _toEnd, 1);
            throw;
        }
    }

    /// <summary>One after the other: so a provider that fails a hundred times at once has one statement under way and not a hundred.</summary>
    private Task InTurnAsync(Func<Task> tell)
    {
        lock (_lock)
        {
            return _told = AfterAsync(_told, tell);
        }
    }

    private async Task AfterAsync(Task before, Func<Task> tell)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await tell();
        }
        catch (Exception failure)
        {
            LogNotTold(failure, providerId);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The other silos cannot be told how provider {ProviderId} answers; this one goes by what it has seen itself")]
    private partial void LogNotTold(Exception failure, long providerId);
}
