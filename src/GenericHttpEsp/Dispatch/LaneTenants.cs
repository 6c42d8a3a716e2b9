using System.Collections.Concurrent;

namespace GenericHttpEsp.Dispatch;

/// <summary>An activation at this silo whose place is its lane's.</summary>
/// <param name="context">Its own.</param>
/// <param name="since">Timestamp: since when it is here.</param>
internal sealed class LaneTenant(IGrainContext context, long since)
{
    public IGrainContext Context => context;

    public long Since => since;

    /// <summary>Before it moves: ends what others would wait for. Called from outside of the activation.</summary>
    public Func<Task> LeaveAsync { get; init; } = static () => Task.CompletedTask;

    /// <summary>After it has moved, if nobody calls it by himself.</summary>
    public Func<Task> GoOnAsync { get; init; } = static () => Task.CompletedTask;
}

/// <summary>Partitions at work and dispatchers at this silo.</summary>
internal sealed class LaneTenants
{
    private readonly ConcurrentDictionary<GrainId, LaneTenant> _all = [];

    public IEnumerable<LaneTenant> All => _all.Values;

    public void Add(LaneTenant tenant) => _all[tenant.Context.GrainId] = tenant;

    public void Remove(IGrainContext context)
    {
        // The next activation of the same grain may be here already.
        if (_all.TryGetValue(context.GrainId, out var tenant) && ReferenceEquals(tenant.Context, context))
        {
            _all.TryRemove(KeyValuePair.Create(context.GrainId, tenant));
        }
    }
}
