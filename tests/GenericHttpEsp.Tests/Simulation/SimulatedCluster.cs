using System.Reflection;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using Orleans.Concurrency;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>
/// As much of Orleans as the grains use: activations, who is where, calls that take their time and get lost with a process. Now and then two processes do
/// not agree and there are two activations of one grain.
/// </summary>
internal sealed class SimulatedCluster(World world)
{
    private readonly Dictionary<GrainId, Activation> _directory = [];
    private readonly Dictionary<GrainId, Activation> _elsewhere = [];

    public List<SimulatedSilo> Silos { get; } = [];

    /// <summary>Probability that a call finds an activation of its own although there is one elsewhere.</summary>
    public double Splits { get; set; }

    /// <summary>Told of each call that a grain begins to work on.</summary>
    public Action<Activation>? Working { get; set; }

    public IEnumerable<SimulatedSilo> Alive => Silos.Where(static silo => !silo.Node.IsDead);

    public SimulatedSilo? AnySilo()
    {
        var alive = Alive.Where(static silo => !silo.Node.IsPaused).ToArray();
        return alive.Length == 0 ? null : alive[world.Random.Next(alive.Length)];
    }

    public void Forget(Activation activation)
    {
        if (_directory.TryGetValue(activation.Id, out var current) && current == activation)
        {
            _directory.Remove(activation.Id);
        }

        if (_elsewhere.TryGetValue(activation.Id, out var other) && other == activation)
        {
            _elsewhere.Remove(activation.Id);
        }
    }

    /// <summary>One silo's partitions and dispatchers are wanted at another: they end here and go on there, while calls are on their way to either.</summary>
    public void Move()
    {
        var alive = Alive.Where(static silo => !silo.Node.IsPaused).ToArray();
        if (alive.Length < 2)
        {
            return;
        }

        var from = world.Random.Next(alive.Length);
        var to = alive[(from + world.Random.Next(1, alive.Length)) % alive.Length];
        foreach (var activation in _directory.Values.Where(one => one.Silo == alive[from] && (one.Id.Type.ToString() is "partition" or "dispatcher")).ToArray())
        {
            world.Tell($"{activation.Id} moves from {alive[from].Node.Name} to {to.Node.Name}");
            activation.Deactivate();
            _directory[activation.Id] = new Activation(this, to, activation.Id);
            if (activation.Id.Type.ToString() == "partition")
            {
                ((IPartitionGrain)SimulatedReference.Of(typeof(IPartitionGrain), this, to, activation.Id)).StartAsync(SimulationSetup.Campaign).Ignore();
            }
        }
    }

    public Activation Find(SimulatedSilo caller, GrainId id)
    {
        // While the network is in two parts, some still reach the older activation.
        if (Splits > 0 && _elsewhere.TryGetValue(id, out var older) && !older.Silo.Node.IsDead && world.Chance(0.3))
        {
            return older;
        }

        // Of partitions more often, and of whom is paused, since a cluster takes that for ended.
        var split = world.Chance(id.Type.ToString() == "partition" ? Splits * 20 : Splits)
            || (_directory.TryGetValue(id, out var silent) && silent.Silo.Node.IsPaused && world.Chance(0.5));
        if (_directory.TryGetValue(id, out var found) && !found.Silo.Node.IsDead && !split)
        {
            return found;
        }

        var alive = Alive.Where(silo => silo == caller || !silo.Node.IsPaused).ToArray();
        var prefersCaller = split || id.Type.ToString() == "dispatcher";
        var silo = prefersCaller ? caller : alive[world.Random.Next(alive.Length)];
        if (found is not null && split)
        {
            _elsewhere[id] = found;
            world.Tell($"two activations of {id} now, the new one on {silo.Node.Name}");
        }

        return _directory[id] = new Activation(this, silo, id);
    }
}

/// <summary>The grain factory of one process.</summary>
public class SimulatedFactory : DispatchProxy
{
    private SimulatedCluster _cluster = null!;
    private SimulatedSilo _silo = null!;

    internal static IGrainFactory Of(SimulatedCluster cluster, SimulatedSilo silo)
    {
        var factory = Create<IGrainFactory, SimulatedFactory>();
        (((SimulatedFactory)(object)factory)._cluster, ((SimulatedFactory)(object)factory)._silo) = (cluster, silo);
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var wanted = targetMethod!.GetGenericArguments()[0];
        if (wanted == typeof(IProviderGrain))
        {
            return Create(wanted, typeof(SilentGrain));
        }

        var type = wanted == typeof(ICampaignGrain) ? "campaign" : wanted == typeof(IPartitionGrain) ? "partition"
            : wanted == typeof(IDispatcherGrain) ? "dispatcher" : wanted == typeof(IRecipientGrain) ? "recipient" : throw new NotSupportedException(wanted.Name);
        var key = (args![0], args[1]) switch
        {
            (long number, string extension) => GrainIdKeyExtensions.CreateIntegerKey(number, extension),
            (long number, _) => GrainIdKeyExtensions.CreateIntegerKey(number),
            ({ } text, _) => IdSpan.Create((string)text),
            _ => throw new NotSupportedException(),
        };
        return SimulatedReference.Of(wanted, _cluster, _silo, GrainId.Create(GrainType.Create(type), key));
    }
}

/// <summary>Answers nothing at once: the provider's grain only keeps versions.</summary>
public class SilentGrain : DispatchProxy
{
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(IProviderGrain.Pin)
        ? Task.FromResult(new ProviderPinned(ProviderResult.Done, (int)args![1]!))
        : Task.CompletedTask;
}

/// <summary>A reference to a grain, held by one process.</summary>
public class SimulatedReference : DispatchProxy
{
    private static readonly MethodInfo Typed = typeof(SimulatedReference).GetMethod(nameof(CallAsync), BindingFlags.Instance | BindingFlags.NonPublic)!;
    private SimulatedCluster _cluster = null!;
    private SimulatedSilo _silo = null!;
    private GrainId _id;

    internal static object Of(Type wanted, SimulatedCluster cluster, SimulatedSilo silo, GrainId id)
    {
        var reference = Create(wanted, typeof(SimulatedReference));
        var own = (SimulatedReference)reference;
        (own._cluster, own._silo, own._id) = (cluster, silo, id);
        return reference;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.ReturnType == typeof(Task) ? typeof(bool) : targetMethod.ReturnType.GetGenericArguments()[0];
        var call = Typed.MakeGenericMethod(result).Invoke(this, [targetMethod, args]);
        return targetMethod.IsDefined(typeof(OneWayAttribute)) ? Task.CompletedTask : call;
    }

    private Task<T> CallAsync<T>(MethodInfo method, object?[]? args)
    {
        var answer = new TaskCompletionSource<T>();
        // From whatever thread of the process it is called: it is the process's network that goes on.
        _silo.Node.Start(async () =>
        {
            await _silo.Node.YieldAsync();
            var activation = _cluster.Find(_silo, _id);
            activation.Run(method, args, answer);
        });
        return answer.Task;
    }
}
