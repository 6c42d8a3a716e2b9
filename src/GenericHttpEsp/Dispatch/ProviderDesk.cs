using System.Collections.Concurrent;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>One provider in this silo: its breaker, its budget and what was learnt of it, shared by all campaigns that send through it.</summary>
internal sealed class ProviderDesk(long providerId, AttemptPolicy policy, ProviderBudget budget, DeskStore store, TimeSpan probePause)
{
    private readonly ConcurrentDictionary<int, long> _learned = [];
    private long _revision = -1;
    private bool _loaded;
    private int _probing;

    public AttemptPolicy Policy => policy;

    public ProviderBudget Budget => budget;

    /// <summary>Limits take effect at once, also for who waits already. A run that was compiled before the change brings nothing back.</summary>
    public void Follow(ProviderRuntime provider)
    {
        for (var known = Interlocked.Read(ref _revision); known < provider.Revision; known = Interlocked.Read(ref _revision))
        {
            if (Interlocked.CompareExchange(ref _revision, provider.Revision, known) == known)
            {
                budget.Limit(LimitsOf(provider));
            }
        }
    }

    /// <summary>A refusal by size: requests of this template version stay below, here at once and everywhere within seconds.</summary>
    public async Task LearnAsync(int version, long bytes)
    {
        if (bytes < _learned.GetValueOrDefault(version, long.MaxValue))
        {
            // Kept first: should that fail, the repetition has still something to learn.
            await store.KeepAsync(new LearnedSize(providerId, version, bytes), CancellationToken.None);
            Note(version, bytes);
        }
    }

    /// <summary>Another silo learnt it.</summary>
    public void Note(int version, long bytes) => _learned.AddOrUpdate(version, bytes, (_, known) => Math.Min(known, bytes));

    /// <summary>The largest request in bytes that is worth trying.</summary>
    public async ValueTask<long> BytesMaxAsync(int version, CancellationToken cancellationToken)
    {
        if (!Volatile.Read(ref _loaded))
        {
            (await store.SizesAsync(providerId, cancellationToken)).ForEach(size => Note(size.Version, size.BytesMax));
            Volatile.Write(ref _loaded, true);
        }

        return _learned.GetValueOrDefault(version, long.MaxValue);
    }

    /// <summary>After the breaker's pause: whether a request of this silo goes ahead to see if the ESP is back. One in a pause does, over the cluster.</summary>
    public async Task<bool> TryProbeAsync(CancellationToken cancellationToken)
    {
        if (!await store.TryProbeAsync(providerId, probePause, cancellationToken))
        {
            return false;
        }

        Interlocked.Exchange(ref _probing, 1);
        return true;
    }

    /// <summary>A request was answered: if it was the probe and the breaker closed, the other silos may look at once.</summary>
    public Task NoteAnsweredAsync() => policy.IsClosed && Interlocked.Exchange(ref _probing, 0) == 1
        ? store.EndProbeAsync(providerId, CancellationToken.None)
        : Task.CompletedTask;

    public static BudgetLimits LimitsOf(ProviderRuntime provider) => new(
        provider.Contract.Limits?.RequestsPerSecond, provider.Contract.Limits?.MessagesPerSecond, provider.Contract.Limits?.Concurrency, provider.Revision);
}

/// <summary>The providers' desks of this silo.</summary>
internal sealed class ProviderDesks(LedgerDatabase database, BudgetStore budgets, SlotStore slots, DeskStore store, IOptions<DispatchOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, ProviderDesk> _desks = [];

    public ProviderDesk Of(ProviderRuntime provider)
    {
        var desk = _desks.GetOrAdd(provider.Id, id => Create(id, provider));
        desk.Follow(provider);
        return desk;
    }

    public IReadOnlyCollection<KeyValuePair<long, ProviderDesk>> All => [.. _desks];

    public ProviderDesk? Find(long providerId) => _desks.GetValueOrDefault(providerId);

    /// <summary>An orderly end: what was leased need not lapse first.</summary>
    public Task CloseAsync() => Task.WhenAll(_desks.Values.Select(static desk => desk.Budget.CloseAsync()));

    private ProviderDesk Create(long id, ProviderRuntime provider)
    {
        // With SQLite this silo is alone: its slots are a number in memory.
        LeaseSlots? lease = database.Engine == StorageEngine.Sqlite ? null : (ask, cancellationToken) => slots.LeaseAsync(id, ask, cancellationToken);
        var budget = new ProviderBudget(
            ProviderDesk.LimitsOf(provider),
            (requests, messages, limits, cancellationToken) => budgets.GrantAsync(id, requests, messages, limits, cancellationToken),
            lease,
            time);
        return new ProviderDesk(id, new AttemptPolicy(options.Value, time), budget, store, TimeSpan.FromSeconds(options.Value.BreakerPauseSeconds));
    }
}
