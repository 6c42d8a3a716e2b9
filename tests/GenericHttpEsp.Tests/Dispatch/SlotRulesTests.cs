using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class SlotRulesTests
{
    [Theory]
    [InlineData(8, new[] { 8 }, new[] { 8 })]
    [InlineData(8, new[] { 8, 8 }, new[] { 4, 4 })]
    [InlineData(8, new[] { 1, 8 }, new[] { 1, 7 })]
    [InlineData(9, new[] { 2, 9, 9 }, new[] { 2, 3, 4 })]
    [InlineData(5, new[] { 0, 5, 2 }, new[] { 0, 3, 2 })]
    [InlineData(4, new[] { 100, 1 }, new[] { 3, 1 })]
    public void Share_IsWhatIsWantedUpToAnEqualPart(int limit, int[] wanted, int[] expected) =>
        Assert.Equal(expected, Shares(limit, wanted, now: 0));

    [Fact]
    public void FewerSlotsThanSilos_GoRound()
    {
        var had = Enumerable.Range(0, 3).Select(round => Shares(1, [1, 1, 1], round * 2000L)).ToList();

        Assert.All(had, static shares => Assert.Equal(1, shares.Sum()));
        Assert.Equal([1, 1, 1], had.Aggregate((a, b) => [.. a.Zip(b, static (x, y) => x + y)]));
    }

    [Fact]
    public void Shares_NeverExceedTheLimitAndLeaveNothingThatIsWanted()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var limit = random.Next(1, 40);
            var wanted = Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(0, 50)).ToArray();

            Assert.Equal(Math.Min(limit, wanted.Sum(want => Math.Min(want, limit))), Shares(limit, wanted, random.Next()).Sum());
        }
    }

    private static int[] Shares(int limit, int[] wanted, long now)
    {
        var demands = wanted.Select(static (want, i) => new SlotDemand($"silo {i}", 0, want)).ToList();
        return [.. demands.Select(demand => SlotRules.Share(demand.Silo, limit, demands, now))];
    }
}
