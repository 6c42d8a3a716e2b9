using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace GenericHttpEsp.Dispatch;

/// <summary>What one attempt brought.</summary>
/// <param name="Answer">Null when no request was made: the breaker is open, or the attempt found nothing to send.</param>
/// <param name="BlockedFor">Above zero: the breaker is open and lets the next attempt through after this.</param>
internal readonly record struct AttemptResult(EspAnswer? Answer, TimeSpan BlockedFor);

/// <summary>
/// Breaker and time-out of one provider around one attempt (claim, send, outcome). No retry and no hedging: another request needs another claim.
/// </summary>
internal sealed class AttemptPolicy
{
    // Claimed rows without outcome are taken for unknown this long after the claim: nothing may still work on them then.
    private static readonly TimeSpan DeadlineSlack = TimeSpan.FromSeconds(4);

    // Polly's breaker does not open on fewer than two.
    private const int SeenMin = 2;

    // No answer of an ESP: the count is full by what other silos told.
    private static readonly EspAnswer FullCount = new(EspAnswerKind.NotSent);

    private readonly ResiliencePipeline<EspAnswer?> _pipeline;
    private readonly TimeProvider _time;
    private readonly int _failuresMax;
    private readonly TimeSpan _pause;
    private readonly CircuitBreakerStateProvider _state = new();
    private long _openedAt;
    private int _failuresInARow;

    public AttemptPolicy(DispatchOptions options, TimeProvider time)
    {
        _time = time;
        _failuresMax = options.BreakerFailures;
        _pause = options.BreakerPause;
        _pipeline = new ResiliencePipelineBuilder<EspAnswer?> { TimeProvider = new SteadyTime(time) }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<EspAnswer?>
            {
                // Polly's breaker knows ratios; ours counts failures in a row. So only the failure that fills the count is shown to it, and it opens at once.
                ShouldHandle = args => ValueTask.FromResult(IsOneTooMany(args.Outcome)),
                FailureRatio = 0,
                MinimumThroughput = SeenMin,
                SamplingDuration = TimeSpan.FromHours(1),
                BreakDuration = _pause,
                StateProvider = _state,
                OnOpened = _ =>
                {
                    Interlocked.Exchange(ref _openedAt, _time.GetTimestamp());
                    return ValueTask.CompletedTask;
                },
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.SendWindow + options.AttemptTimeout + DeadlineSlack })
            .Build();
    }

    /// <summary>Zero when an attempt would be let through. Ask before packing and claiming.</summary>
    public TimeSpan BlockedFor => _state.CircuitState switch
    {
        CircuitState.Closed => TimeSpan.Zero,
        CircuitState.HalfOpen => _pause,
        _ => Left(),
    };

    /// <summary>The ESP answers as far as is known.</summary>
    public bool IsClosed => _state.CircuitState == CircuitState.Closed;

    /// <param name="attempt">Claims, sends and records. Its token ends the sending; an outcome is recorded in any case.</param>
    /// <param name="cancellationToken">Passed on.</param>
    public async Task<AttemptResult> RunAsync(Func<CancellationToken, ValueTask<EspAnswer?>> attempt, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellationToken);
        try
        {
            return new AttemptResult(await _pipeline.ExecuteAsync(static (context, attempt) => attempt(context.CancellationToken), context, attempt), TimeSpan.Zero);
        }
        catch (BrokenCircuitException)
        {
            // While the one probe is out there is no time to tell: ask again after a pause.
            return new AttemptResult(null, BlockedFor is var left && left > TimeSpan.Zero ? left : _pause);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>Opens as if this silo's own failures had filled the count.</summary>
    public async Task OpenAsync()
    {
        for (var seen = 0; seen < SeenMin && IsClosed; seen++)
        {
            await RunAsync(static _ => ValueTask.FromResult<EspAnswer?>(FullCount), CancellationToken.None);
        }
    }

    /// <summary>The ESP is down or out of reach; an answer that says no is not.</summary>
    public static bool IsFailure(EspAnswer answer) => answer.Kind switch
    {
        EspAnswerKind.NotSent or EspAnswerKind.NoAnswer => true,
        EspAnswerKind.Answered => answer.Status >= 500,
        _ => false,
    };

    private TimeSpan Left()
    {
        var left = _pause - _time.GetElapsedTime(Interlocked.Read(ref _openedAt));
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private bool IsOneTooMany(Outcome<EspAnswer?> outcome)
    {
        if (outcome.Result is not { } answer || answer.Kind == EspAnswerKind.GateMissed)
        {
            // No request was made, or our own side failed: this says nothing about the ESP. A probe that says nothing leaves the breaker as it was.
            return _state.CircuitState == CircuitState.HalfOpen;
        }

        if (ReferenceEquals(answer, FullCount))
        {
            return true;
        }

        if (!IsFailure(answer))
        {
            Interlocked.Exchange(ref _failuresInARow, 0);
            return false;
        }

        // A failed probe is enough: this silo's own failures need not have filled the count.
        return Interlocked.Increment(ref _failuresInARow) >= _failuresMax || _state.CircuitState == CircuitState.HalfOpen;
    }
}
