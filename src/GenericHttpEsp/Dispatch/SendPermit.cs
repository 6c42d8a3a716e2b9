using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>The right to make one request: the provider's budget and slot, and a place among what is on the wire. Disposing frees both.</summary>
internal sealed class SendPermit(IDisposable budget, IDisposable place) : IDisposable
{
    public static async Task<SendPermit> TakeAsync(ProviderDesk desk, InFlight inFlight, int records, CancellationToken cancellationToken)
    {
        var budget = await desk.Budget.TakeAsync(records, cancellationToken);
        try
        {
            return new SendPermit(budget, await inFlight.EnterAsync(records, cancellationToken));
        }
        catch
        {
            budget.Dispose();
            throw;
        }
    }

    /// <summary>Takes one if nobody has to wait for it.</summary>
    public static async Task<SendPermit?> TryTakeAsync(ProviderDesk desk, InFlight inFlight, int records)
    {
        using var patience = new CancellationTokenSource();
        var taking = TakeAsync(desk, inFlight, records, patience.Token);
        if (!taking.IsCompleted)
        {
            await Background.CancelAsync(patience);
        }

        try
        {
            return await taking;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        place.Dispose();
        budget.Dispose();
    }
}
