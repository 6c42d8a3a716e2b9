using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Tests.Providers;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class BatchPackerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void PartlyFilled_WaitsFromItsFirstRecordOnAndThenGoesAsItIs()
    {
        var packer = Packer(lingerMilliseconds: 200);
        packer.Add(Page(1, 4));
        Assert.Empty(packer.Take(1000, 64));
        Assert.Equal(TimeSpan.FromMilliseconds(200), packer.Patience);

        _time.Advance(TimeSpan.FromMilliseconds(150));
        packer.Add(Page(5, 6));
        Assert.Equal(TimeSpan.FromMilliseconds(50), packer.Patience);
        _time.Advance(TimeSpan.FromMilliseconds(60));
        Assert.Equal(TimeSpan.Zero, packer.Patience);
        packer.Flush();

        var first = Assert.Single(packer.Take(1000, 64));
        Assert.Equal((0, 6), (first.From, first.Count));
        Assert.Null(packer.Patience);
        // The next one begins where this one ended: a claim moves the cursor without a gap.
        packer.Add(Page(7, 16));
        Assert.Equal((6, 10), Assert.Single(packer.Take(1000, 64)) is var next ? (next.From, next.Count) : default);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1000)]
    public void FullBatchesAndTheLastOne_NeverWait(int? lingerMilliseconds)
    {
        var packer = Packer(lingerMilliseconds);
        packer.Add(Page(1, 25, last: true));

        Assert.Equal([10, 10, 5], packer.Take(1000, 64).Select(static batch => batch.Count));
        Assert.Null(packer.Patience);
    }

    [Fact]
    public void WithoutLinger_PartlyFilledWaitsUntilFullOrTheEnd()
    {
        var packer = Packer(lingerMilliseconds: null);
        packer.Add(Page(1, 4));
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Null(packer.Patience);
        Assert.Empty(packer.Take(1000, 64));
    }

    private BatchPacker Packer(int? lingerMilliseconds) => new(
        new BatchLimits(TemplateSample.Bind(TemplateSample.Provider(TemplateSample.Batched, new BatchContract("msgs", 10, null, lingerMilliseconds))), long.MaxValue), _time);

    private static RecordPage Page(int from, int to, bool last = false)
    {
        var ids = Enumerable.Range(from, to - from + 1).Select(static id => (long)id).ToArray();
        return new RecordPage
        {
            CampaignId = 1,
            Run = 1,
            PartitionId = 1,
            Epoch = 1,
            From = from - 1,
            Ids = ids,
            Outcomes = new RecordOutcome[ids.Length],
            Lengths = Array.ConvertAll(ids, static _ => 2),
            Bytes = new byte[ids.Length * 2],
            Last = last,
        };
    }
}
