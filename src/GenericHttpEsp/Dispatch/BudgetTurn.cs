namespace GenericHttpEsp.Dispatch;

/// <summary>One request in a provider's line, and what it has gathered. Changed under the budget's lock only.</summary>
internal sealed class BudgetTurn(long campaign, int messages, ProviderBudget budget) : IDisposable
{
    private int _requestsTaken;
    private int _messagesTaken;
    private int _left;

    public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LinkedListNode<BudgetTurn>? Place { get; set; }

    public long Campaign => campaign;

    /// <summary>The lease under which it holds its concurrency slot; null without a slot.</summary>
    public long? Slot { get; set; }

    /// <summary>
    /// The slot's lease has not lapsed: the request may begin. Asked after the claim, since the process may have been held up for any time after its turn.
    /// </summary>
    public bool IsGood => budget.IsGood(this);

    public int MessagesNeeded(BudgetLimits limits) => limits.MessagesPerSecond is null ? 0 : messages - _messagesTaken;

    public int RequestsNeeded(BudgetLimits limits) => limits.RequestsPerSecond is null ? 0 : 1 - _requestsTaken;

    public bool IsSatisfied(BudgetLimits limits) => MessagesNeeded(limits) <= 0 && RequestsNeeded(limits) <= 0;

    /// <summary>Takes what is needed, or what there is, and answers what remains. The request comes last, in the second in which it goes out.</summary>
    public BudgetGrant TakeFrom(BudgetGrant slice, BudgetLimits limits)
    {
        var taken = Math.Clamp(MessagesNeeded(limits), 0, slice.Messages);
        _messagesTaken += taken;
        var requests = MessagesNeeded(limits) > 0 ? 0 : Math.Clamp(RequestsNeeded(limits), 0, slice.Requests);
        _requestsTaken += requests;
        return slice with { Requests = slice.Requests - requests, Messages = slice.Messages - taken };
    }

    /// <summary>It goes without a request: what it has gathered is for the next one.</summary>
    public BudgetGrant GiveBackTo(BudgetGrant slice) =>
        slice with { Requests = slice.Requests + _requestsTaken, Messages = slice.Messages + _messagesTaken };

    /// <summary>Its turn has come, and no request is made of it.</summary>
    public void GiveBack()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            budget.LeaveUnused(this);
        }
    }

    /// <summary>The request is over: its concurrency slot is free.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            budget.Leave();
        }
    }
}
