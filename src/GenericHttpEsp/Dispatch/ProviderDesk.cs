using System.Collections.Concurrent;
using GenericHttpEsp.Providers;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>One provider in this silo: its breaker and its budget, shared by all campaigns that send through it.</summary>
internal sealed class ProviderDesk(AttemptPolicy policy, ProviderBudget budget)
{
    private readonly ConcurrentDictionary<int, long> _learned = [];
    private long _revision = -1;

    public AttemptPolicy Policy => policy;

    public ProviderBudget Budget => budget;

    /// <summary>Limits take effect at once, also for who waits already.</summary>
    public void Follow(ProviderRuntime provider)
    {
        if (Interlocked.Exchange(ref _revision, provider.Revision) != provider.Revision)
        {
            budget.Limit(LimitsOf(provider));
        }
    }

    /// <summary>A refusal by size: requests of this template version stay below.</summary>
    public void Learn(int version, long bytes) => _learned.AddOrUpdate(version, bytes, (_, known) => Math.Min(known, bytes));

    /// <summary>The largest request in bytes that is worth trying.</summary>
    public long BytesMax(int version) => _learned.GetValueOrDefault(version, long.MaxValue);

    public static BudgetLimits LimitsOf(ProviderRuntime provider) => new(
        provider.Contract.Limits?.RequestsPerSecond, provider.Contract.Limits?.MessagesPerSecond, provider.Contract.Limits?.Concurrency);
}

/// <summary>The providers' desks of this silo.</summary>
internal sealed class ProviderDesks(BudgetStore budgets, IOptions<DispatchOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, ProviderDesk> _desks = [];

    public ProviderDesk Of(ProviderRuntime provider)
    {
        var desk = _desks.GetOrAdd(provider.Id, _ => new ProviderDesk(
            new AttemptPolicy(options.Value, time),
            new ProviderBudget(
                ProviderDesk.LimitsOf(provider),
                (requests, messages, limits, cancellationToken) => budgets.GrantAsync(provider.Id, requests, messages, limits, cancellationToken),
                time)));
        desk.Follow(provider);
        return desk;
    }
}
