namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Who waits, campaigns taking turns: a campaign with a thousand requests in line delays another's by one at a time. Within a campaign first come, first
/// served. Not safe for threads: its owner locks.
/// </summary>
internal sealed class FairLine<T>
{
    private readonly LinkedList<Lane> _lanes = [];
    private readonly Dictionary<long, LinkedListNode<Lane>> _byCampaign = [];

    public bool IsEmpty => _lanes.Count == 0;

    /// <summary>Whose turn it is; stays first until removed, whoever comes.</summary>
    public T? First => _lanes.First is { } lane ? lane.Value.Waiting.First!.Value : default;

    public IEnumerable<T> All => _lanes.SelectMany(static lane => lane.Waiting);

    /// <summary>The answer is for <see cref="Remove"/>.</summary>
    public LinkedListNode<T> Add(long campaign, T waiter)
    {
        if (!_byCampaign.TryGetValue(campaign, out var lane))
        {
            _byCampaign[campaign] = lane = _lanes.AddLast(new Lane(campaign, []));
        }

        return lane.Value.Waiting.AddLast(waiter);
    }

    /// <summary>The first is served: its campaign's next one waits for the others' turns.</summary>
    public void RemoveFirst()
    {
        var lane = _lanes.First!;
        _lanes.RemoveFirst();
        lane.Value.Waiting.RemoveFirst();
        if (lane.Value.Waiting.Count > 0)
        {
            _lanes.AddLast(lane);
        }
        else
        {
            _byCampaign.Remove(lane.Value.Campaign);
        }
    }

    /// <summary>Gives up a place in line.</summary>
    public void Remove(long campaign, LinkedListNode<T> place)
    {
        var lane = _byCampaign[campaign];
        lane.Value.Waiting.Remove(place);
        if (lane.Value.Waiting.Count == 0)
        {
            _lanes.Remove(lane);
            _byCampaign.Remove(campaign);
        }
    }

    public void Clear()
    {
        _lanes.Clear();
        _byCampaign.Clear();
    }

    private sealed record Lane(long Campaign, LinkedList<T> Waiting);
}
