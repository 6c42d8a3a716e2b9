using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Works through one partition under one epoch after the other: waiting rows beside the cursor, pages at the cursor, then the wait for what is open. Offers
/// rendered pages to the dispatcher; its answer is the credit for the next.
/// </summary>
internal sealed class PartitionRun : IDisposable
{
    private const int StartsMax = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(1);

    private readonly PartitionWork _work;
    private readonly long _campaign;
    private readonly long _partition;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _running;
    private bool _counted;

    public PartitionRun(PartitionWork work, long campaign, long partition)
    {
        (_work, _campaign, _partition) = (work, campaign, partition);
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(work.Stopping);
        _running = Background.Run(RunAsync);
    }

    public bool IsOver => _running.IsCompleted;

    public async Task StopAsync()
    {
        await Background.CancelAsync(_stopping);
        await _running;
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (await RunEpochAsync())
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                _work.NoteTrouble(_partition, failure);
            }

            await _work.DelayAsync(AfterTrouble, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>False when it should begin again under a new epoch.</summary>
    private async Task<bool> RunEpochAsync()
    {
        var lease = await _work.Partitions.TakeAsync(_partition, countsAsStart: !_counted, _stopping.Token);
        _counted = true;
        if (lease is null)
        {
            return true;
        }

        if (lease.Starts > StartsMax)
        {
            await _work.FailAsync(lease, _partition);
            return true;
        }

        try
        {
            return await WorkAsync(lease);
        }
        finally
        {
            await _work.Partitions.ReleaseAsync(_partition, lease.Epoch, CancellationToken.None);
        }
    }

    private async Task<bool> WorkAsync(PartitionLease lease)
    {
        await using var feed = new PartitionFeed(_work, lease, _partition);
        while (true)
        {
            _stopping.Token.ThrowIfCancellationRequested();
            var receipt = await feed.OfferRowsAsync(_stopping.Token);
            if (receipt == PageReceipt.Taken && !feed.IsAtEnd)
            {
                receipt = await OfferNextAsync(feed, lease);
            }
            else if (receipt == PageReceipt.Taken)
            {
                var tail = await _work.Partitions.FinishAsync(_partition, lease.Epoch, _stopping.Token);
                if (tail != PartitionTail.Open)
                {
                    return tail == PartitionTail.Done && await _work.DoneAsync(lease);
                }

                await feed.ForgiveAsync(_stopping.Token);
                receipt = await feed.ProbeAsync(_stopping.Token);
                await _work.DelayAsync(Patience, _stopping.Token);
            }

            if (receipt is PageReceipt.Fenced or PageReceipt.Broken)
            {
                return false;
            }
        }
    }

    private async Task<PageReceipt> OfferNextAsync(PartitionFeed feed, PartitionLease lease)
    {
        if (await feed.HasTurnAsync(_stopping.Token))
        {
            return await feed.OfferNextAsync(_stopping.Token);
        }

        // It renders nothing meanwhile: ends of the process are not its doing. What is due beside the cursor was rendered before.
        await feed.ForgiveAsync(_stopping.Token);
        // Nobody else tells one who waits that the campaign is paused or stopped, or that its epoch is over.
        return await _work.Partitions.FinishAsync(_partition, lease.Epoch, _stopping.Token) == PartitionTail.Fenced ? PageReceipt.Fenced : PageReceipt.Taken;
    }
}
