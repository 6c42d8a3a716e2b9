using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Two activations of one campaign: only the later stored state opens what a pause has closed.</summary>
public sealed class PartitionControlTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Open_ByAStateOlderThanThePause_ChangesNothing(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);

        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 3, default);
        await sample.Partitions.OpenAsync(LedgerSample.Campaign, 1, control: 2, default);
        Assert.Equal(ClaimStatus.Fenced, await ClaimAsync(sample));

        await sample.Partitions.OpenAsync(LedgerSample.Campaign, 1, control: 4, default);
        Assert.Equal(ClaimStatus.Claimed, await ClaimAsync(sample));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Open_ByAStateBetweenTwoPauses_ChangesNothing(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);

        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 3, default);
        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 5, default);
        await sample.Partitions.OpenAsync(LedgerSample.Campaign, 1, control: 4, default);

        Assert.Equal(ClaimStatus.Fenced, await ClaimAsync(sample));
        Assert.Equal(5, await sample.Partitions.ControlAsync(LedgerSample.Campaign, default));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Pause_ByAnOlderState_ClosesAndTheLaterOneOpensAgain(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);

        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 3, default);
        await sample.Partitions.OpenAsync(LedgerSample.Campaign, 1, control: 4, default);
        await sample.Partitions.PauseAsync(LedgerSample.Campaign, 1, control: 3, default);
        Assert.Equal(ClaimStatus.Fenced, await ClaimAsync(sample));

        await sample.Partitions.OpenAsync(LedgerSample.Campaign, 1, control: 4, default);
        Assert.Equal(ClaimStatus.Claimed, await ClaimAsync(sample));
    }

    private static async Task<ClaimStatus> ClaimAsync(LedgerSample sample)
    {
        // Null where the partition is closed: the lease of before is tried.
        if (await sample.Partitions.TakeAsync(sample.Partition, countsAsStart: false, default) is not null)
        {
            await sample.TakeAsync();
        }

        return (await sample.ClaimAsync(sample.Lease.Cursor, sample.Ids)).Status;
    }
}
