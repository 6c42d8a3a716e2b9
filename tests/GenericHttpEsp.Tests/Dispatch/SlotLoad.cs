using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

/// <summary>Requests of several silos that last a little, counted over all of them.</summary>
internal sealed class SlotLoad(int limit)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private int _running;
    private int _over;
    private int _most;
    private volatile int _limit = limit;

    public int Over => Volatile.Read(ref _over);

    public int Limit { set => _limit = value; }

    /// <summary>The largest number at once since it was set.</summary>
    public int Most { set => Volatile.Write(ref _most, value); }

    public Silo Start(ProviderBudget budget) => new(this, budget);

    public Task HasReachedAsync(int running) => UntilAsync(() => Volatile.Read(ref _most) >= running);

    public Task HasFallenAsync(int running) => UntilAsync(() => Volatile.Read(ref _running) <= running);

    private static async Task UntilAsync(Func<bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!reached())
        {
            await Task.Delay(5, patience.Token);
        }
    }

    private async Task RequestAsync()
    {
        var now = Interlocked.Increment(ref _running);
        Interlocked.Add(ref _over, now > _limit ? 1 : 0);
        for (var most = Volatile.Read(ref _most); now > most && Interlocked.CompareExchange(ref _most, now, most) != most; most = Volatile.Read(ref _most))
        {
        }

        await Task.Delay(10);
        Interlocked.Decrement(ref _running);
    }

    /// <summary>Eight senders that always have something to send.</summary>
    internal sealed class Silo : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ending = new();
        private readonly Task _senders;
        private readonly ProviderBudget _budget;
        private int _served;
        private bool _ended;

        public Silo(SlotLoad load, ProviderBudget budget)
        {
            _budget = budget;
            _senders = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            {
                while (!_ending.IsCancellationRequested)
                {
                    using var turn = await budget.TakeAsync(1, 1, _ending.Token);
                    await load.RequestAsync();
                    Interlocked.Increment(ref _served);
                }
            })));
        }

        public int Served => Volatile.Read(ref _served);

        public Task HasServedAsync(int requests) => UntilAsync(() => Served >= requests);

        public async ValueTask DisposeAsync()
        {
            if (!_ended)
            {
                _ended = true;
                await _ending.CancelAsync();
                await _senders.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await _budget.CloseAsync();
                _ending.Dispose();
            }
        }
    }
}
