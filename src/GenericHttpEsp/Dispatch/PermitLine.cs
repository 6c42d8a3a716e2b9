namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Permits for batches that stand ready, in their order. All are in the provider's line at once, so that a campaign's turns come round while its earlier
/// batches are being claimed; what is not used is given back at the end.
/// </summary>
internal sealed class PermitLine : IAsyncDisposable
{
    private readonly ProviderDesk _desk;
    private readonly InFlight _inFlight;
    private readonly long _campaign;
    private readonly bool _probes;
    private readonly CancellationTokenSource _ending;
    private readonly Queue<(Task<BudgetTurn> Turn, int Records)> _asked = [];

    /// <param name="desk">Of the provider.</param>
    /// <param name="inFlight">Of the silo.</param>
    /// <param name="campaign">Whose requests they are.</param>
    /// <param name="records">Of each batch.</param>
    /// <param name="probes">It goes although the breaker is open.</param>
    /// <param name="ending">Ends the wait; disposed here.</param>
    public PermitLine(ProviderDesk desk, InFlight inFlight, long campaign, IEnumerable<int> records, bool probes, CancellationTokenSource ending)
    {
        (_desk, _inFlight, _campaign, _probes, _ending) = (desk, inFlight, campaign, probes, ending);
        foreach (var count in records)
        {
            _asked.Enqueue((desk.Budget.TakeAsync(campaign, count, ending.Token).AsTask(), count));
        }
    }

    /// <summary>Waits for the next batch's permit and takes along those of the following ones that have come; none at the end, or when the breaker opened.</summary>
    public async Task<List<SendPermit>> NextAsync()
    {
        if (_asked.Count == 0 || !MayGo)
        {
            return [];
        }

        var (first, records) = _asked.Peek();
        var turn = await first;
        // A free permit is granted even to a cancelled wait: without this look a stopping silo would go on claiming.
        _ending.Token.ThrowIfCancellationRequested();
        if (!MayGo)
        {
            return [];
        }

        // Places on the wire are asked for one by one: a later batch must not sit on the place that an earlier one waits for.
        var permits = new List<SendPermit> { new(turn, await _inFlight.EnterAsync(_campaign, records, _ending.Token)) };
        _asked.Dequeue();
        while (_asked.TryPeek(out var next) && next.Turn.IsCompletedSuccessfully && _inFlight.TryEnter(_campaign, next.Records) is { } place)
        {
            permits.Add(new SendPermit(await _asked.Dequeue().Turn, place));
        }

        if (_ending.IsCancellationRequested)
        {
            permits.ForEach(static permit => permit.Dispose());
            _ending.Token.ThrowIfCancellationRequested();
        }

        return permits;
    }

    private bool MayGo => _probes || _desk.Policy.IsClosed;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var (turn, _) in _asked)
        {
            // Cancelled, or failed as the first one did, which was told.
            await ((Task)turn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (turn.IsCompletedSuccessfully)
            {
                (await turn).GiveBack();
            }
        }

        _ending.Dispose();
    }
}
