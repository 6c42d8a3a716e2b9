using GenericHttpEsp.Campaigns;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class FeedTurnsTests
{
    [Fact]
    public void TryTake_WithAllTaken_WaitsForOneToEnd_AndNoOtherCampaignDoes()
    {
        var turns = new FeedTurns();
        var taken = new List<IDisposable>();
        Task freed;
        while (turns.TryTake(1, out freed) is { } turn)
        {
            taken.Add(turn);
        }

        Assert.Equal(Math.Max(4, 2 * Environment.ProcessorCount), taken.Count);
        Assert.False(freed.IsCompleted);
        Assert.NotNull(turns.TryTake(2, out _));

        taken[0].Dispose();
        taken[0].Dispose();

        Assert.True(freed.IsCompleted);
        Assert.NotNull(turns.TryTake(1, out _));
        Assert.Null(turns.TryTake(1, out _));
    }
}
