using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class DispatcherGrainTests
{
    /// <summary>
    /// An activation that knows nothing of a page before: rows that were offered to the one before it would never be claimed, while the pages at the cursor go on.
    /// </summary>
    [Fact]
    public async Task Page_ThatContinuesWhatIsLost_EndsTheEpoch()
    {
        // Nothing is packed or claimed before the page is taken.
        var grain = new DispatcherGrain(null!, new NoTemplates(), null!, new LaneTenants(), TimeProvider.System);

        Assert.Equal(PageReceipt.Broken, await grain.OfferAsync(Page(epoch: 3, continues: true)));
        Assert.Equal(PageReceipt.Broken, await grain.ProbeAsync(1, 3));

        Assert.Equal(PageReceipt.Taken, await grain.OfferAsync(Page(epoch: 4, continues: false)));
        Assert.Equal(PageReceipt.Taken, await grain.ProbeAsync(1, 4));
        Assert.Equal(PageReceipt.Taken, await grain.OfferAsync(Page(epoch: 4, continues: true)));

        // Newer and older ones.
        Assert.Equal(PageReceipt.Broken, await grain.OfferAsync(Page(epoch: 5, continues: true)));
        Assert.Equal(PageReceipt.Fenced, await grain.OfferAsync(Page(epoch: 3, continues: true)));
        await grain.DropAsync(1, 4);
        Assert.Equal(PageReceipt.Broken, await grain.OfferAsync(Page(epoch: 4, continues: true)));
    }

    private static RecordPage Page(long epoch, bool continues) => new()
    {
        CampaignId = 1,
        Run = 1,
        PartitionId = 1,
        Epoch = epoch,
        From = 0,
        Ids = [1],
        Outcomes = [RecordOutcome.ToCome],
        Lengths = [0],
        Bytes = [],
        Last = false,
        Continues = continues,
    };

    /// <summary>The stream waits for its template: whatever is offered stays where it is.</summary>
    private sealed class NoTemplates : IRunTemplates
    {
        public async ValueTask<RunTemplate> GetAsync(long campaignId, int run, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
