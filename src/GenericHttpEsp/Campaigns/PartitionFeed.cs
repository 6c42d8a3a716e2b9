using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Campaigns;

/// <summary>The pages of one partition under one epoch: reads profiles, renders, offers.</summary>
internal sealed class PartitionFeed(PartitionWork work, PartitionLease lease, long partition) : IAsyncDisposable
{
    private const int IdsPerPageMax = 1000;
    private static readonly TimeSpan RowsEvery = TimeSpan.FromMilliseconds(250);

    // So long without room, and what could be rendered has been.
    private static readonly TimeSpan RoomSoon = TimeSpan.FromSeconds(1);

    // How long a partition without a turn looks at nothing else.
    private static readonly TimeSpan TurnWait = TimeSpan.FromMilliseconds(500);

    // An offered row is claimed, or held by somebody, or lost with the dispatcher's stream, which ends the epoch; it never comes back under the same key.
    private readonly HashSet<(long Row, int Repetition)> _offeredRows = [];
    private readonly PageRenderer _renderer = new(work.Time);
    private long _position = lease.Cursor;
    private long _nextBlock = lease.FirstBlock;
    private long[] _ids = [];
    private int _next;
    private long? _rowsLookedAt;
    private bool _offered;
    private bool _taken;
    private bool _forgiven;
    private IDisposable? _turn;

    /// <summary>Whether the dispatcher still works on what it took: a page that it lost is never claimed, and nothing else would tell.</summary>
    public async Task<PageReceipt> ProbeAsync(CancellationToken cancellationToken)
    {
        if (!_offered)
        {
            return PageReceipt.Taken;
        }

        var template = await work.Templates.GetAsync(lease.CampaignId, lease.Run, cancellationToken);
        return await work.Dispatcher(template.Provider.Id, partition).ProbeAsync(partition, lease.Epoch);
    }

    /// <summary>
    /// All that may be rendered now was, and the process lives: kills while the partition waits (for answers, or for its turn at the ESP) must not add up to
    /// a crash loop. What is rendered later comes after a claim, which forgives anyway; content that ends the process does so at the latest when those before
    /// it are done and nothing is waited for.
    /// </summary>
    public async Task ForgiveAsync(CancellationToken cancellationToken)
    {
        if (!_forgiven)
        {
            await work.Partitions.ReleaseAsync(partition, lease.Epoch, cancellationToken);
            _forgiven = true;
        }
    }

    /// <summary>Everything at the cursor has been offered.</summary>
    public bool IsAtEnd => _position >= lease.LastId;

    /// <summary>Offers waiting rows that are due, looking for them four times a second.</summary>
    public async Task<PageReceipt> OfferRowsAsync(CancellationToken cancellationToken)
    {
        if (_rowsLookedAt is { } looked && work.Time.GetElapsedTime(looked) < RowsEvery)
        {
            return PageReceipt.Taken;
        }

        _rowsLookedAt = work.Time.GetTimestamp();
        var open = await work.Partitions.OpenRowsAsync(partition, cancellationToken);
        foreach (var row in open.Waiting.Where(row => row.DueInMilliseconds <= 0 && !_offeredRows.Contains((row.Id, row.Repetition))))
        {
            var receipt = await OfferRowAsync(row, cancellationToken);
            if (receipt != PageReceipt.Taken)
            {
                return receipt;
            }

            _offeredRows.Add((row.Id, row.Repetition));
        }

        return PageReceipt.Taken;
    }

    /// <summary>Whether pages at the cursor may be rendered now; when not, after a while or when it is worth asking again.</summary>
    public async Task<bool> HasTurnAsync(CancellationToken cancellationToken)
    {
        if (_turn is null && (_turn = work.Turns.TryTake(lease.CampaignId, out var freed)) is null)
        {
            await work.WaitAsync(freed, TurnWait, cancellationToken);
        }

        return _turn is not null;
    }

    /// <summary>Renders and offers the next page at the cursor. Only with a turn, which ends with the last page.</summary>
    public async Task<PageReceipt> OfferNextAsync(CancellationToken cancellationToken)
    {
        while (_next >= _ids.Length)
        {
            var block = await work.Audience.NextBlockAsync(lease.CampaignId, lease.Run, _nextBlock - 1, lease.LastBlock, cancellationToken)
                ?? throw new InvalidOperationException($"Partition {partition} has no block from {_nextBlock} to {lease.LastBlock}.");
            (_nextBlock, _ids) = (block.Block + 1, block.Ids);
            _next = Array.FindIndex(_ids, id => id > _position) is var first && first >= 0 ? first : _ids.Length;
        }

        var ids = _ids.AsMemory(_next, Math.Min(IdsPerPageMax, _ids.Length - _next));
        var template = await work.Templates.GetAsync(lease.CampaignId, lease.Run, cancellationToken);
        var profiles = await ProfilesAsync(ids.ToArray(), cancellationToken);
        for (var done = 0; done < ids.Length;)
        {
            var page = Page(_renderer.Render(template.Bound, ids[done..], profiles), 0, _position, lease.LastId);
            var receipt = await OfferAsync(template, page, cancellationToken);
            if (receipt != PageReceipt.Taken)
            {
                return receipt;
            }

            done += page.Ids.Length;
            _next += page.Ids.Length;
            _position = page.Ids[^1];
        }

        if (IsAtEnd)
        {
            _turn?.Dispose();
        }

        return PageReceipt.Taken;
    }

    /// <summary>The dispatcher may forget this epoch.</summary>
    public async ValueTask DisposeAsync()
    {
        _renderer.Dispose();
        _turn?.Dispose();
        if (_offered)
        {
            var template = await work.Templates.GetAsync(lease.CampaignId, lease.Run, CancellationToken.None);
            work.DropAsync(template.Provider.Id, partition, lease.Epoch).Ignore();
        }
    }

    private async Task<PageReceipt> OfferRowAsync(WaitingRow row, CancellationToken cancellationToken)
    {
        var template = await work.Templates.GetAsync(lease.CampaignId, lease.Run, cancellationToken);
        var profiles = await ProfilesAsync(row.Ids, cancellationToken);
        for (var done = 0; done < row.Ids.Length;)
        {
            var page = Page(_renderer.Render(template.Bound, row.Ids.AsMemory(done), profiles), row.Id, 0, row.Ids[^1]) with { Repeats = row.Repetition > 0 };
            var receipt = await OfferAsync(template, page, cancellationToken);
            if (receipt != PageReceipt.Taken)
            {
                return receipt;
            }

            done += page.Ids.Length;
        }

        return PageReceipt.Taken;
    }

    private async Task<Dictionary<long, ProfileRow>> ProfilesAsync(long[] ids, CancellationToken cancellationToken) =>
        (await work.Profiles.ByIdsAsync(ids, cancellationToken)).ToDictionary(static profile => profile.Id);

    private async Task<PageReceipt> OfferAsync(RunTemplate template, RecordPage page, CancellationToken cancellationToken)
    {
        _offered = true;
        while (true)
        {
            var offer = work.Dispatcher(template.Provider.Id, partition).OfferAsync(page with { Continues = _taken });
            if (!_forgiven && !offer.IsCompleted)
            {
                await work.WaitAsync(offer, RoomSoon, cancellationToken);
            }

            if (!_forgiven && !offer.IsCompleted)
            {
                await ForgiveAsync(cancellationToken);
            }

            var receipt = await offer;
            cancellationToken.ThrowIfCancellationRequested();
            if (receipt != PageReceipt.Full)
            {
                _taken |= receipt == PageReceipt.Taken;
                return receipt;
            }
        }
    }

    private RecordPage Page(RenderedPage rendered, long row, long from, long lastId) => new()
    {
        CampaignId = lease.CampaignId,
        Run = lease.Run,
        PartitionId = partition,
        Epoch = lease.Epoch,
        BatchId = row,
        From = from,
        Ids = rendered.Ids,
        Outcomes = rendered.Outcomes,
        Lengths = rendered.Lengths,
        Bytes = rendered.Bytes,
        Last = rendered.Ids[^1] >= lastId,
    };
}
