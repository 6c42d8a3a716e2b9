using System.Collections.Concurrent;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>One provider in this silo: its breaker, its budget and what was learnt of it, shared by all campaigns that send through it.</summary>
internal sealed class ProviderDesk(long providerId, AttemptPolicy policy, ClusterBreaker breaker, ProviderBudget budget, DeskStore store)
{
    private readonly ConcurrentDictionary<int, long> _learned = [];
    private long _revision = -1;
    private bool _loaded;

    public AttemptPolicy Policy => policy;

    public ClusterBreaker Breaker => breaker;

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
            // Whoever comes to an ESP that is down goes ahead as the probe, or not at all.
            await breaker.LookAsync(cancellationToken);
            Volatile.Write(ref _loaded, true);
        }

        return _learned.GetValueOrDefault(version, long.MaxValue);
    }

    public static BudgetLimits LimitsOf(ProviderRuntime provider) => new(
        provider.Contract.Limits?.RequestsPerSecond, provider.Contract.Limits?.MessagesPerSecond, provider.Contract.Limits?.Concurrency, provider.Revision);
}

/// <summary>The providers' desks of this silo.</summary>
internal sealed class ProviderDesks(
    LedgerDatabase database,
    BudgetStore budgets,
    SlotStore slots,
    DeskStore store,
    IOptions<DispatchOptions> options,
    TimeProvider time,
    ILogger<ClusterBreaker> logger)
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

    /// <summary>What the other silos told of providers that fail, for desks that nothing else tells.</summary>
    public async Task HearAsync(CancellationToken cancellationToken)
    {
        if (IsAlone)
        {
            return;
        }

        foreach (var row in await store.FailingAsync(options.Value.BreakerFailures, cancellationToken))
        {
            await (Find(row.ProviderId)?.Breaker.HearAsync(row) ?? Task.CompletedTask);
        }
    }

    /// <summary>An orderly end: what was leased need not lapse first.</summary>
    public Task CloseAsync() => Task.WhenAll(_desks.Values.Select(static desk => desk.Budget.CloseAsync()));

    // With SQLite this silo is alone: its slots are a number in memory, and its failures all that there are.
    private bool IsAlone => database.Engine == StorageEngine.Sqlite;

    private ProviderDesk Create(long id, ProviderRuntime provider)
    {
        var policy = new AttemptPolicy(options.Value, time);
        var breaker = new ClusterBreaker(id, policy, store, options.Value, IsAlone, time, logger);
        LeaseSlots? lease = IsAlone ? null : async (ask, cancellationToken) =>
        {
            var grant = await slots.LeaseAsync(id, ask, cancellationToken);
            // Before the slots are used: others may have given them up because they found the ESP down.
            await breaker.HearAsync(grant.Failing);
            return grant;
        };
        var budget = new ProviderBudget(
            ProviderDesk.LimitsOf(provider),
            (requests, messages, limits, cancellationToken) => budgets.GrantAsync(id, requests, messages, limits, cancellationToken),
            lease,
            time);
        return new ProviderDesk(id, policy, breaker, budget, store);
    }
}
