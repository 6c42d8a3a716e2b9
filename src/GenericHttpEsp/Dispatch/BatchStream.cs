using System.Threading.Channels;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// The records of one partition under one epoch on their way to the ESP: packed into batches, claimed one after the other (each claim moves the cursor
/// from where the last one left it), sent side by side. Runs on the thread pool. Ends for good when a claim is refused or cannot be recorded.
/// </summary>
internal sealed class BatchStream : IDisposable
{
    private const int PagesMax = 2;
    private const int BatchesPerClaimMax = 64;
    private const int RecordsPerClaimMax = 1000;

    private readonly Channel<RecordPage> _pages = Channel.CreateBounded<RecordPage>(PagesMax);
    private readonly CancellationTokenSource _stopping = new();
    private readonly BatchSender _sender;
    private readonly IRunTemplates _templates;
    private readonly IBatchLedger _ledger;
    private readonly TimeProvider _time;
    private readonly (long Campaign, int Run, long Partition) _of;
    private readonly Task _running;
    private volatile PageReceipt _end = PageReceipt.Taken;

    public BatchStream(
        long campaignId, int run, long partitionId, long epoch, BatchSender sender, IRunTemplates templates, IBatchLedger ledger, TimeProvider time)
    {
        (_of, Epoch) = ((campaignId, run, partitionId), epoch);
        (_sender, _templates, _ledger, _time) = (sender, templates, ledger, time);
        _running = Background.Run(RunAsync);
    }

    public long Epoch { get; }

    /// <summary>Hands a page over, waiting for room.</summary>
    public async Task<PageReceipt> OfferAsync(RecordPage page, TimeSpan wait)
    {
        using var limit = new CancellationTokenSource(wait, _time);
        try
        {
            await _pages.Writer.WriteAsync(page, limit.Token);
            return PageReceipt.Taken;
        }
        catch (OperationCanceledException)
        {
            return PageReceipt.Full;
        }
        catch (ChannelClosedException)
        {
            return _end;
        }
    }

    /// <summary>Taken while it works; how it ended otherwise.</summary>
    public PageReceipt State => _end;

    /// <summary>No further claims; returns when the last one begun is recorded or on the wire.</summary>
    public async Task StopAsync()
    {
        await Background.CancelAsync(_stopping);
        await _running;
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync()
    {
        try
        {
            _end = await PumpAsync();
        }
        catch (OperationCanceledException)
        {
            _end = PageReceipt.Fenced;
        }
        catch (Exception failure)
        {
            // Whatever it was: the partition begins again from what is recorded.
            _sender.NoteBroken(_of.Partition, failure);
            _end = PageReceipt.Broken;
        }
        finally
        {
            _pages.Writer.TryComplete();
        }
    }

    private async Task<PageReceipt> PumpAsync()
    {
        BatchPacker? packer = null;
        while (true)
        {
            var template = await _templates.GetAsync(_of.Campaign, _of.Run, _stopping.Token);
            var limits = new BatchLimits(template.Bound, await _sender.BytesMaxAsync(template.Provider, _stopping.Token));
            packer ??= new BatchPacker(limits, _time);
            packer.Limits = limits;
            var ready = packer.Take(RecordsPerClaimMax, BatchesPerClaimMax);
            if (ready.Count == 0)
            {
                await FillAsync(packer);
            }
            else if (!await ClaimAllAsync(template, ready))
            {
                return PageReceipt.Fenced;
            }
        }
    }

    /// <summary>Waits for the next page, or until a partly filled batch has waited for it long enough.</summary>
    private async Task FillAsync(BatchPacker packer)
    {
        if (packer.Patience is not { } patience)
        {
            packer.Add(await _pages.Reader.ReadAsync(_stopping.Token));
            return;
        }

        if (_pages.Reader.TryRead(out var page))
        {
            packer.Add(page);
            return;
        }

        using var limit = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            await _pages.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            packer.Flush();
        }
    }

    /// <summary>Until all are claimed: the first waits for its permit, more go along when theirs have come.</summary>
    private async Task<bool> ClaimAllAsync(RunTemplate template, List<PackedBatch> ready)
    {
        for (var next = 0; next < ready.Count;)
        {
            await using var line = await _sender.QueueAsync(template, ready, next, _stopping.Token);
            while (await line.NextAsync() is { Count: > 0 } permits)
            {
                var claim = ready.GetRange(next, permits.Count);
                next += permits.Count;
                if (!await ClaimAsync(await RefreshAsync(template, permits), claim, permits))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The line may have taken minutes: secrets and policies are those of now.</summary>
    private async Task<RunTemplate> RefreshAsync(RunTemplate template, List<SendPermit> permits)
    {
        try
        {
            return await _templates.GetAsync(template.CampaignId, template.Run, _stopping.Token);
        }
        catch
        {
            permits.ForEach(static permit => permit.Dispose());
            throw;
        }
    }

    private Task<ClaimResult> ClaimAsync(ClaimOwner owner, List<PackedBatch> batches, List<BatchDraft> drafts) => batches[0] switch
    {
        { RowId: 0, From: var from } => _ledger.ClaimAsync(new ClaimRequest(owner, from, drafts), _stopping.Token),
        { Repeats: true, RowId: var row } => _ledger.RepeatAsync(new ReclaimRequest(owner, row, drafts[0]), _stopping.Token),
        { RowId: var row } => _ledger.ReclaimAsync(new ReclaimRequest(owner, row, drafts[0]), _stopping.Token),
    };

    private async Task<bool> ClaimAsync(RunTemplate template, List<PackedBatch> batches, List<SendPermit> permits)
    {
        var owner = template.Owner(_of.Partition, Epoch);
        var drafts = batches.ConvertAll(static batch => batch.Draft());
        var handedOver = false;
        try
        {
            var result = await ClaimAsync(owner, batches, drafts);
            for (var i = 0; i < result.Batches.Count; i++)
            {
                _sender.Send(template, batches[i], result.Batches[i], permits[i]);
            }

            handedOver = result.Status == ClaimStatus.Claimed;
            return result.Status != ClaimStatus.Fenced;
        }
        catch (CommitUnknownException)
        {
            drafts.ForEach(draft => _sender.CloseUnsent(_of.Partition, draft.Key));
            throw;
        }
        finally
        {
            if (!handedOver)
            {
                permits.ForEach(static permit => permit.Dispose());
            }
        }
    }
}
