namespace GenericHttpEsp.Dispatch;

/// <summary>Thin: finds the partition's stream and hands the page over. The work runs off the grain's scheduler, in <see cref="BatchStream"/>.</summary>
[GrainType("dispatcher"), Orleans.Concurrency.Reentrant, LanePlacement]
internal sealed class DispatcherGrain(BatchSender sender, IRunTemplates templates, IBatchLedger ledger, LaneTenants tenants, TimeProvider time) : Grain, IDispatcherGrain
{
    private static readonly TimeSpan RoomWait = TimeSpan.FromSeconds(10);
    private readonly Dictionary<long, BatchStream> _streams = [];
    private bool _leaves;

    public async Task<PageReceipt> OfferAsync(RecordPage page)
    {
        if (page.Continues && !IsMine(page.PartitionId, page.Epoch))
        {
            // What it took before is lost with an activation: claims from here on could pass those by.
            return _streams.TryGetValue(page.PartitionId, out var other) && other.Epoch > page.Epoch ? PageReceipt.Fenced : PageReceipt.Broken;
        }

        var stream = Find(page);
        if (stream is null)
        {
            return PageReceipt.Fenced;
        }

        var receipt = await stream.OfferAsync(page, RoomWait);
        if (receipt is PageReceipt.Fenced or PageReceipt.Broken && _streams.TryGetValue(page.PartitionId, out var current) && current == stream)
        {
            _streams.Remove(page.PartitionId);
        }

        return receipt;
    }

    public Task<PageReceipt> ProbeAsync(long partitionId, long epoch) => Task.FromResult(
        IsMine(partitionId, epoch) ? _streams[partitionId].State : PageReceipt.Broken);

    public async Task DropAsync(long partitionId, long epoch)
    {
        if (_streams.TryGetValue(partitionId, out var stream) && stream.Epoch <= epoch)
        {
            _streams.Remove(partitionId);
            await stream.StopAsync();
        }
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var own = TaskScheduler.Current;
        tenants.Add(new LaneTenant(GrainContext, time.GetTimestamp())
        {
            // While it waits for the end of all calls, no further one begins: what would end those that wait for room must not be a call.
            LeaveAsync = () => Task.Factory.StartNew(LeaveAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, own).Unwrap(),
        });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        tenants.Remove(GrainContext);
        return LeaveAsync();
    }

    private Task LeaveAsync()
    {
        _leaves = true;
        return Task.WhenAll(_streams.Values.Select(static stream => stream.StopAsync()));
    }

    private bool IsMine(long partitionId, long epoch) => _streams.TryGetValue(partitionId, out var stream) && stream.Epoch == epoch;

    /// <summary>The stream of the page's epoch; a newer epoch ends an older stream, an older one finds nothing.</summary>
    private BatchStream? Find(RecordPage page)
    {
        if (_streams.TryGetValue(page.PartitionId, out var stream))
        {
            if (stream.Epoch == page.Epoch)
            {
                return stream;
            }

            if (stream.Epoch > page.Epoch)
            {
                return null;
            }

            stream.StopAsync().Ignore();
        }

        if (_leaves)
        {
            // Orleans keeps it where it is if the silo that it should go to has just gone: then it would turn all away for ever. Where it goes anyway, this says nothing.
            GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "Its lane has moved."));
            return null;
        }

        stream = new BatchStream(page.CampaignId, page.Run, page.PartitionId, page.Epoch, sender, templates, ledger, time);
        return _streams[page.PartitionId] = stream;
    }
}
