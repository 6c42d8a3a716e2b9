using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class BudgetSharesTests
{
    [Theory]
    [InlineData(10, 2)]
    [InlineData(10, 3)]
    [InlineData(1, 2)]
    [InlineData(0.5, 2)]
    [InlineData(0.3, 3)]
    [InlineData(1000, 7)]
    public void Shares_OfASecondsFirstHalf_AddUpToItsQuotaAndAreEqualInTheSum(double limit, int silos)
    {
        var had = new long[silos];
        for (var second = 1_795_000_000L; second < 1_795_001_000; second++)
        {
            var shares = Enumerable.Range(0, silos).Select(rank => Of(second, 900, silos, rank).Grant(int.MaxValue, 0, 0, limit)).ToList();

            Assert.Equal(BudgetShares.Quota(limit, second), shares.Sum());
            shares.ForEach(share => Assert.InRange(share, 0, (limit / silos) + 1));
            had = [.. had.Zip(shares, static (sum, share) => sum + share)];
        }

        Assert.InRange(had.Max() - had.Min(), 0, 1);
    }

    [Fact]
    public void WhatOthersLeft_IsForWhoeverAsksInTheSecondHalf()
    {
        Assert.Equal((5, 400), (Of(7, 900, 2, 0).Grant(100, 0, 0, 10), Of(7, 900, 2, 0).MillisecondsToMore(900)));
        Assert.Equal((0, 10), (Of(7, 510, 2, 0).Grant(100, 5, 5, 10), Of(7, 510, 2, 0).MillisecondsToMore(510)));
        Assert.Equal((5, 500), (Of(7, 500, 2, 0).Grant(100, 5, 5, 10), Of(7, 500, 2, 0).MillisecondsToMore(500)));
        Assert.Equal((10, 900), (Of(7, 900, 1, 0).Grant(100, 0, 0, 10), Of(7, 900, 1, 0).MillisecondsToMore(900)));
    }

    [Fact]
    public void Grant_NeverPassesWhatIsLeft() => Assert.Equal(2, Of(7, 900, 2, 0).Grant(100, 0, 8, 10));

    private static BudgetShares Of(long second, int left, int silos, int rank) => new(second, left, silos, rank, 0, 0);
}
