namespace GenericHttpEsp.Dispatch;

/// <summary>The right to make one request: the provider's budget and slot, and a place among what is on the wire. Disposing frees both.</summary>
internal sealed class SendPermit(BudgetTurn turn, IDisposable place) : IDisposable
{
    /// <summary>The request may still begin: the slot's lease stands.</summary>
    public bool IsGood => turn.IsGood;

    public void Dispose()
    {
        place.Dispose();
        turn.Dispose();
    }
}
