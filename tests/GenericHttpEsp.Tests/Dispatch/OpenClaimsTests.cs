using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class OpenClaimsTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(500);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Barrier_WithoutClaims_ReturnsAtOnce() => await Embedded().WaitAsync(CancellationToken.None);

    [Theory]
    [InlineData(500, true)]
    [InlineData(501, false)]
    public void Gate_PassesWithinItsWindowOnly(int milliseconds, bool passes)
    {
        using var gate = Embedded().Open(_time.GetTimestamp());
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Assert.Equal(passes, gate.TryPass());
        Assert.False(gate.TryPass());
        Assert.Equal(passes, gate.HasPassed);
    }

    [Fact]
    public void Gate_OfATransactionThatBeganEarlier_CountsFromThere()
    {
        var began = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(400));
        using var gate = Embedded().Open(began);
        _time.Advance(TimeSpan.FromMilliseconds(101));

        Assert.False(gate.TryPass());
    }

    [Theory]
    [InlineData("begin")]
    [InlineData("give up")]
    [InlineData("close")]
    public async Task Barrier_WithAnOpenClaim_ReturnsWhenItSettles(string how)
    {
        var claims = Embedded();
        using var gate = claims.Open(_time.GetTimestamp());
        var waiting = claims.WaitAsync(CancellationToken.None);
        if (how != "close")
        {
            Assert.True(gate.TryPass());
        }

        Assert.False(waiting.IsCompleted);
        Assert.True(Settle(gate, how));
        await waiting;
        Assert.Equal(0, claims.Count);
    }

    [Fact]
    public async Task Barrier_DoesNotWaitForClaimsOpenedLater()
    {
        var claims = Embedded();
        using var early = claims.Open(_time.GetTimestamp());
        var waiting = claims.WaitAsync(CancellationToken.None);
        using var late = claims.Open(_time.GetTimestamp());
        early.Dispose();

        await waiting;
        Assert.Equal(1, claims.Count);
    }

    [Fact]
    public async Task Barrier_WithAClaimThatNeverSettles_EndsATenthAfterItsWindow()
    {
        var claims = Embedded();
        using var gate = claims.Open(_time.GetTimestamp());
        _time.Advance(TimeSpan.FromMilliseconds(100));
        var waiting = claims.WaitAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromMilliseconds(449));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        await waiting;
        Assert.False(gate.TryPass());
    }

    /// <summary>Given to the socket is not yet at the ESP: an acknowledgement on a faster way would overtake the head.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Barrier_AfterARequestHasBegun_WaitsForItsWay(bool openWhenAsked)
    {
        var claims = new OpenClaims(Window, _time, clusterWide: false, _ => ValueTask.FromResult(true), TimeSpan.FromMilliseconds(50));
        var began = _time.GetTimestamp();
        using var gate = claims.Open(began);
        var waiting = openWhenAsked ? claims.WaitAsync(CancellationToken.None) : null;
        Assert.True(gate.TryPass());
        gate.MarkBegun();
        waiting ??= claims.WaitAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        while (!waiting.IsCompleted)
        {
            // The wait begins on another thread when it is told that the gate settled.
            await Task.Yield();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await waiting;
        Assert.True(_time.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task Barrier_OfACluster_WaitsElevenTenthsOfAWindowEvenWithoutClaimsHere()
    {
        var claims = new OpenClaims(Window, _time, clusterWide: true, _ => ValueTask.FromResult(true));
        var waiting = claims.WaitAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromMilliseconds(549));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(2));

        await waiting;
    }

    [Fact]
    public async Task Barrier_OfAClusterWithoutWork_ReturnsAtOnce() =>
        await new OpenClaims(Window, _time, clusterWide: true, _ => ValueTask.FromResult(false)).WaitAsync(CancellationToken.None);

    [Fact]
    public void MissedWindow_CallsBackOnceAndShutsTheGate()
    {
        using var gate = Embedded().Open(_time.GetTimestamp());
        var missed = 0;
        using var timer = gate.OnMissed(() => missed++);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal((1, false), (missed, gate.TryPass()));
    }

    /// <summary>
    /// Senders admit (read the committed state), then pass the gate; forbidders commit, wait at the barrier and acknowledge. A first byte after the
    /// acknowledgement, of a sender that had admitted before the commit, breaks the promise.
    /// </summary>
    [Fact]
    public async Task Barrier_UnderStress_NobodyBeginsAfterTheAcknowledgement()
    {
        var claims = new OpenClaims(TimeSpan.FromSeconds(5), TimeProvider.System, clusterWide: false, _ => ValueTask.FromResult(true));
        var (broken, begun) = (0, 0);
        for (var round = 0; round < 3000; round++)
        {
            var (forbidden, acknowledged) = (0, 0);
            var random = new Random(round);
            var spins = Enumerable.Range(0, 5).Select(_ => random.Next(300)).ToArray();
            var forbidder = random.Next(5);
            await Task.WhenAll(Enumerable.Range(0, 5).Select(i => i == forbidder ? Start(() => Forbid(spins[i])) : Start(() => Send(spins[i]))));

            async Task Forbid(int spin)
            {
                Thread.SpinWait(spin);
                Interlocked.Exchange(ref forbidden, 1);
                await claims.WaitAsync(CancellationToken.None);
                Interlocked.Exchange(ref acknowledged, 1);
            }

            Task Send(int spin)
            {
                using var gate = claims.Open(TimeProvider.System.GetTimestamp());
                var admitted = Volatile.Read(ref forbidden) == 0;
                Thread.SpinWait(spin);
                if (admitted && gate.TryPass())
                {
                    Thread.SpinWait(spin);
                    Interlocked.Add(ref broken, Volatile.Read(ref acknowledged));
                    Interlocked.Increment(ref begun);
                    gate.MarkBegun();
                }

                return Task.CompletedTask;
            }
        }

        Assert.Equal(0, broken);
        Assert.InRange(begun, 1000, 11_999);
        Assert.Equal(0, claims.Count);
    }

    // In the order of starting: the pool's own queues would run the last first.
    private static Task Start(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.PreferFairness, TaskScheduler.Default).Unwrap();

    private static bool Settle(SendGate gate, string how)
    {
        switch (how)
        {
            case "begin":
                gate.MarkBegun();
                break;
            case "give up":
                gate.GiveUp();
                break;
            default:
                return gate.TryClose();
        }

        return gate.Settled.IsCompleted;
    }

    private OpenClaims Embedded() => new(Window, _time, clusterWide: false, _ => ValueTask.FromResult(true));
}
