using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class AttemptPolicyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly AttemptPolicy _policy;
    private int _requests;

    public AttemptPolicyTests() => _policy = new AttemptPolicy(new DispatchOptions(), _time);

    public static TheoryData<int> Failures => [0, -1, 500, 502, 503, 504];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Failures_InARow_OpenTheBreakerAfterEight(int status)
    {
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(TimeSpan.Zero, _policy.BlockedFor);
            Assert.NotNull((await TryAsync(status)).Answer);
        }

        var blocked = await TryAsync(status);

        Assert.Null(blocked.Answer);
        Assert.Equal(TimeSpan.FromSeconds(5), blocked.BlockedFor);
        Assert.Equal(TimeSpan.FromSeconds(5), _policy.BlockedFor);
        Assert.Equal(8, _requests);
    }

    [Fact]
    public async Task OpenBreaker_LetsOneProbeThroughInFiveSeconds()
    {
        await OpenAsync();
        for (var second = 0; second < 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await TryAsync(503);
            await TryAsync(503);
        }

        Assert.Equal(8 + 12, _requests);
    }

    /// <summary>By what other silos saw: this one has made no request yet.</summary>
    [Fact]
    public async Task OpenedByOthers_IsOpenForAPause_AndClosesByAProbe()
    {
        await _policy.OpenAsync();

        Assert.Null((await TryAsync(200)).Answer);
        Assert.Equal(TimeSpan.FromSeconds(5), _policy.BlockedFor);
        _time.Advance(TimeSpan.FromSeconds(3));
        await _policy.OpenAsync();
        Assert.Equal(TimeSpan.FromSeconds(2), _policy.BlockedFor);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull((await TryAsync(503)).Answer);
        Assert.Null((await TryAsync(200)).Answer);
        Assert.Equal(TimeSpan.FromSeconds(5), _policy.BlockedFor);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull((await TryAsync(200)).Answer);
        Assert.True(_policy.IsClosed);
        for (var i = 0; i < 7; i++)
        {
            Assert.NotNull((await TryAsync(503)).Answer);
        }

        Assert.True(_policy.IsClosed);
    }

    [Fact]
    public async Task OpenBreaker_WhoseProbeMissedItsGate_StaysOpen()
    {
        await OpenAsync();
        _time.Advance(TimeSpan.FromSeconds(5));

        await _policy.RunAsync(static _ => ValueTask.FromResult<EspAnswer?>(new EspAnswer(EspAnswerKind.GateMissed)), CancellationToken.None);

        Assert.False(_policy.IsClosed);
        Assert.Null((await TryAsync(200)).Answer);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.NotNull((await TryAsync(200)).Answer);
        Assert.True(_policy.IsClosed);
    }

    [Fact]
    public async Task OpenBreaker_WhileItsProbeIsOut_LetsNobodyElseThrough()
    {
        await OpenAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        var answer = new TaskCompletionSource<EspAnswer?>();
        var probe = _policy.RunAsync(async _ => await answer.Task, CancellationToken.None);

        var other = await TryAsync(200);
        Assert.Null(other.Answer);
        Assert.NotEqual(TimeSpan.Zero, other.BlockedFor);
        answer.SetResult(Answer(200));
        await probe;

        Assert.Equal(TimeSpan.Zero, _policy.BlockedFor);
        Assert.NotNull((await TryAsync(200)).Answer);
    }

    /// <summary>The time of day follows the database's, which another server may have: a breaker that waits for it would be open for as long as it went back.</summary>
    [Fact]
    public async Task OpenBreaker_WhoseClockIsSetBack_ProbesAfterItsPause()
    {
        var time = new ClusterTime(_time);
        time.Follow(_time.GetUtcNow().AddHours(1));
        var policy = new AttemptPolicy(new DispatchOptions(), time);
        await policy.OpenAsync();
        time.Follow(_time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(TimeSpan.Zero, policy.BlockedFor);
        Assert.NotNull((await policy.RunAsync(static _ => ValueTask.FromResult<EspAnswer?>(Answer(200)), CancellationToken.None)).Answer);
        Assert.True(policy.IsClosed);
    }

    [Fact]
    public async Task ClosedAgain_CountsFromTheStart()
    {
        await OpenAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        await TryAsync(200);
        for (var i = 0; i < 7; i++)
        {
            await TryAsync(503);
        }

        Assert.Equal(TimeSpan.Zero, _policy.BlockedFor);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(429)]
    public async Task AnswerOfALivingEsp_ResetsTheCount(int status)
    {
        for (var i = 0; i < 100; i++)
        {
            await TryAsync(i % 8 == 7 ? status : 503);
        }

        Assert.Equal(100, _requests);
    }

    [Fact]
    public async Task MissedGatesAndIdleAttempts_SayNothing()
    {
        for (var i = 0; i < 30; i++)
        {
            await _policy.RunAsync(_ => ValueTask.FromResult<EspAnswer?>(null), CancellationToken.None);
            await _policy.RunAsync(_ => ValueTask.FromResult<EspAnswer?>(new EspAnswer(EspAnswerKind.GateMissed)), CancellationToken.None);
        }

        Assert.Equal(TimeSpan.Zero, _policy.BlockedFor);
    }

    [Fact]
    public async Task Attempt_ThatHangs_IsToldToEndAtTheLedgersDeadline()
    {
        var running = _policy.RunAsync(
            async cancellationToken =>
            {
                await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);
                return new EspAnswer(EspAnswerKind.NoAnswer);
            },
            CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(29.4));
        Assert.False(running.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(EspAnswerKind.NoAnswer, (await running).Answer?.Kind);
    }

    private async Task OpenAsync()
    {
        for (var i = 0; i < 8; i++)
        {
            await TryAsync(503);
        }
    }

    private Task<AttemptResult> TryAsync(int status) => _policy.RunAsync(
        _ =>
        {
            _requests++;
            return ValueTask.FromResult<EspAnswer?>(Answer(status));
        },
        CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

    private static EspAnswer Answer(int status) => status switch
    {
        0 => new EspAnswer(EspAnswerKind.NotSent),
        -1 => new EspAnswer(EspAnswerKind.NoAnswer),
        _ => new EspAnswer(EspAnswerKind.Answered) { Status = status },
    };
}
