using System.Reflection;
using System.Runtime.CompilerServices;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

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

    /// <summary>It moves when no call is under way any more: a page that waits for room would hold it, and its lane, for ten seconds.</summary>
    [Fact]
    public async Task Page_ThatWaitsForRoom_IsAnsweredWhenTheDispatcherLeaves()
    {
        var tenants = new LaneTenants();
        var grain = new DispatcherGrain(null!, new NoTemplates(), null!, tenants, new FakeTimeProvider());
        var context = (KnownContext)(Context(grain) = DispatchProxy.Create<IGrainContext, KnownContext>());
        await grain.OnActivateAsync(CancellationToken.None);
        Assert.Equal(PageReceipt.Taken, await grain.OfferAsync(Page(epoch: 3, continues: false)));
        Assert.Equal(PageReceipt.Taken, await grain.OfferAsync(Page(epoch: 3, continues: true)));
        var waits = grain.OfferAsync(Page(epoch: 3, continues: true));
        Assert.False(waits.IsCompleted);

        await Assert.Single(tenants.All).LeaveAsync();

        Assert.Equal(PageReceipt.Fenced, await waits.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(0, context.Ends);
        // Nothing begins here any more. Should the silo that it was to move to be gone by now, it would stay for ever: asked again, it ends.
        Assert.Equal(PageReceipt.Fenced, await grain.OfferAsync(Page(epoch: 4, continues: false)));
        Assert.Equal(1, context.Ends);
        await grain.OnDeactivateAsync(default, CancellationToken.None);
        Assert.Empty(tenants.All);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<GrainContext>k__BackingField")]
    private static extern ref IGrainContext Context(Grain grain);

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

/// <summary>Says who it is, and counts how often it was to end.</summary>
public class KnownContext : DispatchProxy
{
    public int Ends { get; private set; }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "get_GrainId" => GrainId.Create(GrainType.Create("dispatcher"), GrainIdKeyExtensions.CreateIntegerKey(1, Lanes.KeyOf(1))),
        nameof(IGrainContext.Deactivate) => End(),
        _ => throw new NotSupportedException(targetMethod.Name),
    };

    private object? End()
    {
        Ends++;
        return null;
    }
}
