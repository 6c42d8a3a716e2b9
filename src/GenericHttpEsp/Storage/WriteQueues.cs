using System.Threading.Channels;

namespace GenericHttpEsp.Storage;

/// <summary>Writes that wait, by kind. More callers than there is room for wait at the door.</summary>
internal sealed class WriteQueues(int pendingMax)
{
    /// <summary>Most urgent first.</summary>
    public static readonly WriteKind[] Kinds = Enum.GetValues<WriteKind>();

    private readonly Channel<IPendingWrite>[] _queues = [.. Kinds.Select(_ => Channel.CreateBounded<IPendingWrite>(pendingMax))];

    public ValueTask AddAsync(WriteKind kind, IPendingWrite pending, CancellationToken cancellationToken) =>
        _queues[(int)kind].Writer.WriteAsync(pending, cancellationToken);

    /// <summary>Takes no more; what waits can still be taken.</summary>
    public void Complete() => Array.ForEach(_queues, static queue => queue.Writer.TryComplete());

    /// <summary>The next whose caller still waits.</summary>
    public IPendingWrite? TryTake(WriteKind kind)
    {
        while (_queues[(int)kind].Reader.TryRead(out var pending))
        {
            if (!pending.CancelIfAsked())
            {
                return pending;
            }
        }

        return null;
    }

    /// <summary>The next, if it is wanted. For queues with one taker.</summary>
    public IPendingWrite? TryTakeIf(WriteKind kind, Predicate<IPendingWrite> isWanted)
    {
        var reader = _queues[(int)kind].Reader;
        while (reader.TryPeek(out var pending))
        {
            if (pending.CancelIfAsked())
            {
                reader.TryRead(out _);
            }
            else if (isWanted(pending))
            {
                reader.TryRead(out _);
                return pending;
            }
            else
            {
                return null;
            }
        }

        return null;
    }
}
