namespace GenericHttpEsp.Dispatch;

/// <summary>One sender in a provider's line, and what he has gathered. Changed under the budget's lock only.</summary>
internal sealed class BudgetTurn(int messages, Action leave) : IDisposable
{
    private int _left;

    public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LinkedListNode<BudgetTurn>? Node { get; set; }

    public bool HasSlot { get; set; }

    public int RequestsNeeded { get; private set; } = 1;

    public int MessagesNeeded { get; private set; } = messages;

    public bool IsSatisfied => RequestsNeeded == 0 && MessagesNeeded == 0;

    /// <summary>Takes what is needed, or what there is, and answers what remains. Nothing is needed of what has no limit.</summary>
    public BudgetGrant TakeFrom(BudgetGrant slice, BudgetLimits limits)
    {
        var requests = Math.Min(RequestsNeeded, slice.Requests);
        var taken = Math.Min(MessagesNeeded, slice.Messages);
        RequestsNeeded = limits.RequestsPerSecond is null ? 0 : RequestsNeeded - requests;
        MessagesNeeded = limits.MessagesPerSecond is null ? 0 : MessagesNeeded - taken;
        return slice with { Requests = slice.Requests - requests, Messages = slice.Messages - taken };
    }

    /// <summary>The request is over: its concurrency slot is free.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            leave();
        }
    }
}
