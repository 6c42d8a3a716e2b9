using System.Text.Json.Nodes;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class FeedTurnsTests(PostgresServer server)
{
    private const int PeoplePerBlock = 4;

    [Fact]
    public async Task TryTake_WithAllTaken_WaitsForOneToEnd_AndNoOtherCampaignDoes()
    {
        var turns = new FeedTurns();
        var taken = new List<IDisposable>();
        Task freed;
        while (turns.TryTake(1, out freed) is { } turn)
        {
            taken.Add(turn);
        }

        Assert.Equal(FeedTurns.AtOnceMax, taken.Count);
        Assert.False(freed.IsCompleted);
        Assert.NotNull(turns.TryTake(2, out _));

        taken[0].Dispose();
        taken[0].Dispose();

        await freed.WaitAsync(CampaignBench.Patience, TestContext.Current.CancellationToken);
        Assert.NotNull(turns.TryTake(1, out _));
        Assert.Null(turns.TryTake(1, out _));
    }

    /// <summary>
    /// More partitions than turns, and an ESP that takes next to nothing: those that wait render nothing, so ends of the process in that time must not add up
    /// to a campaign that fails. Those with a turn have more to render than there is room for, and keep it.
    /// </summary>
    [Fact]
    public async Task Partitions_ThatWaitForTheirTurn_AreForgivenTheirStart()
    {
        var partitions = Math.Min(FeedTurns.AtOnceMax + 2, AudienceBlocks.PartitionsMax);
        await using var bench = await CampaignBench.StartAsync(nameof(StorageEngine.Sqlite), server);
        var database = bench.Application.Services.GetRequiredService<LedgerDatabase>();
        for (var block = 0; block < partitions * AudienceBlocks.BlocksPerPartition; block++)
        {
            await bench.ImportAsync(PeoplePerBlock, from: block * PeoplePerBlock);
            await database.WriteAsync(
                WriteKind.Import,
                session => session.ExecuteAsync("update sqlite_sequence set seq = seq + @more where name = 'profiles'", ("@more", (long)AudienceBlocks.IdsPerBlock)));
        }

        var provider = await bench.ProviderAsync(2, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 0.001 } });
        var campaign = await bench.CampaignAsync(provider, new JsonObject { ["html"] = new string('x', 200_000) });
        await bench.ActAsync(campaign, "start");

        await UntilAsync(database, "epoch > 0", partitions);
        await UntilAsync(database, "starts > 0", 0);
        Assert.InRange((long)(await bench.StatsAsync(campaign))["accepted"]!, 0, 2);
    }

    private static Task<long> CountAsync(LedgerDatabase database, string condition) => database.ReadAsync(async session =>
        await session.FirstAsync($"select count(*) from partitions where {condition}", static row => row.GetInt64(0)));

    private static async Task UntilAsync(LedgerDatabase database, string condition, long count)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(CampaignBench.Patience);
        while (await CountAsync(database, condition) != count)
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
