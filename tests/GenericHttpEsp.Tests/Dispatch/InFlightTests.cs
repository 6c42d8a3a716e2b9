using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class InFlightTests
{
    [Fact]
    public async Task Places_BeyondTheRequests_WaitInTurn()
    {
        var inFlight = Limited(requests: 1, records: 1000);
        var first = await EnterAsync(inFlight, 1);
        var second = EnterAsync(inFlight, 1);
        var third = EnterAsync(inFlight, 1);
        Assert.False(second.IsCompleted || third.IsCompleted);

        first.Dispose();
        (await second).Dispose();
        (await third).Dispose();
        Assert.Equal((0, 0), (inFlight.Requests, inFlight.Records));
    }

    [Fact]
    public async Task LargeBatch_IsNotOvertakenBySmallOnes()
    {
        var inFlight = Limited(requests: 10, records: 1000);
        var first = await EnterAsync(inFlight, 500);
        var large = EnterAsync(inFlight, 600);
        var small = EnterAsync(inFlight, 1);
        Assert.False(large.IsCompleted || small.IsCompleted);

        first.Dispose();
        await large;
        await small;
        Assert.Equal((2, 601), (inFlight.Requests, inFlight.Records));
    }

    [Fact]
    public async Task Campaigns_TakeTurns_AndNobodyWalksPastTheLine()
    {
        var inFlight = Limited(requests: 1, records: 1000);
        var first = await EnterAsync(inFlight, 1);
        var many = Enumerable.Range(0, 3).Select(_ => EnterAsync(inFlight, 1)).ToList();
        var other = inFlight.EnterAsync(2, 1, CancellationToken.None).AsTask();
        Assert.Null(inFlight.TryEnter(3, 1));

        first.Dispose();
        (await many[0]).Dispose();
        (await other).Dispose();
        (await many[1]).Dispose();
        (await many[2]).Dispose();
        inFlight.TryEnter(3, 1)!.Dispose();
        Assert.Equal((0, 0), (inFlight.Requests, inFlight.Records));
    }

    [Fact]
    public async Task BatchLargerThanAll_GoesAlone()
    {
        var inFlight = Limited(requests: 10, records: 1000);
        using var place = await EnterAsync(inFlight, 5000);

        Assert.Equal(1000, inFlight.Records);
        Assert.False(EnterAsync(inFlight, 1).IsCompleted);
    }

    [Fact]
    public async Task CancelledWait_FreesTheLine()
    {
        var inFlight = Limited(requests: 10, records: 1000);
        using var first = await EnterAsync(inFlight, 500);
        using var cancel = new CancellationTokenSource();
        var large = inFlight.EnterAsync(1, 600, cancel.Token).AsTask();
        var small = EnterAsync(inFlight, 1);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        await small;
        Assert.Equal((2, 501), (inFlight.Requests, inFlight.Records));
    }

    [Fact]
    public async Task Place_DisposedTwice_IsFreedOnce()
    {
        var inFlight = Limited(requests: 10, records: 1000);
        using var other = await EnterAsync(inFlight, 7);
        var place = await EnterAsync(inFlight, 5);
        place.Dispose();
        place.Dispose();

        Assert.Equal((1, 7), (inFlight.Requests, inFlight.Records));
    }

    [Fact]
    public async Task Limits_UnderStress_AreNeverPassed()
    {
        var inFlight = Limited(requests: 8, records: 1000);
        var (over, done) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 300; i++)
            {
                using (await inFlight.EnterAsync(1, random.Next(1, 400), CancellationToken.None))
                {
                    Interlocked.Add(ref over, inFlight.Requests > 8 || inFlight.Records > 1000 ? 1 : 0);
                    await Task.Yield();
                }

                Interlocked.Increment(ref done);
            }
        })));

        Assert.Equal((0, 9600, 0, 0), (over, done, inFlight.Requests, inFlight.Records));
    }

    private static Task<IDisposable> EnterAsync(InFlight inFlight, int records) => inFlight.EnterAsync(1, records, CancellationToken.None).AsTask();

    private static InFlight Limited(int requests, int records) =>
        new(Options.Create(new DispatchOptions { RequestsInFlightMax = requests, RecordsInFlightMax = records }));
}
