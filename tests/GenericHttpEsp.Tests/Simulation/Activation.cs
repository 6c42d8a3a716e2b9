using System.Reflection;
using System.Runtime.CompilerServices;
using Orleans.Concurrency;
using Orleans.Timers;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>One real grain in one process: a call after the other, unless it says otherwise.</summary>
internal sealed class Activation
{
    private readonly SimulatedCluster _cluster;
    private readonly Queue<(Func<Task> Work, Action? Forward)> _turns = new();
    private readonly List<IDisposable> _timers = [];
    private readonly Task<Grain> _grain;
    private bool _isBusy;
    private bool _isOver;

    public Activation(SimulatedCluster cluster, SimulatedSilo silo, GrainId id)
    {
        (_cluster, Silo, Id) = (cluster, silo, id);
        var made = new TaskCompletionSource<Grain>();
        _grain = made.Task;
        silo.Node.Start(async () =>
        {
            try
            {
                var grain = await silo.CreateAsync(id);
                Context(grain) = SimulatedContext.Of(this);
                Runtime(grain) = SimulatedRuntime.Of(this);
                made.SetResult(grain);
            }
            catch (Exception failure)
            {
                cluster.Forget(this);
                made.SetException(failure);
            }
        });
    }

    public SimulatedSilo Silo { get; }

    public GrainId Id { get; }

    public void Run<T>(MethodInfo method, object?[]? args, TaskCompletionSource<T> answer)
    {
        // Who waits for a process that ended hears of it later, or by a time-out.
        Silo.Node.OnEnd(() => Silo.Node.World.After(
            Silo.Node.World.Between(10, 20_000), () => answer.TrySetException(new TimeoutException("The silo has ended."))));
        var interleaves = method.IsDefined(typeof(AlwaysInterleaveAttribute)) || Id.Type.ToString() == "dispatcher";
        if (interleaves)
        {
            Silo.Node.Start(() => CallAsync(method, args, answer));
        }
        else
        {
            Enqueue(() => CallAsync(method, args, answer), () => Forward(method, args, answer));
        }
    }

    /// <summary>After the turn that runs now. Calls that wait go to a new activation, as in Orleans: this one's memory may be ahead of what is stored.</summary>
    public void Deactivate()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _cluster.Forget(this);
        _timers.ForEach(static timer => timer.Dispose());
        var waiting = _turns.ToArray();
        _turns.Clear();
        Enqueue(async () => await (await _grain).OnDeactivateAsync(
            new DeactivationReason(DeactivationReasonCode.ApplicationRequested, ""), CancellationToken.None));
        Array.ForEach(waiting, static turn => turn.Forward?.Invoke());
    }

    public IGrainTimer AddTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        var timer = new ActivationTimer(this, callback, options.Period);
        _timers.Add(timer);
        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    private async Task CallAsync<T>(MethodInfo method, object?[]? args, TaskCompletionSource<T> answer)
    {
        Silo.Node.World.Whisper($"{Id} on {Silo.Node.Name}: {method.Name}");
        _cluster.Working?.Invoke(this);
        try
        {
            var task = (Task)method.Invoke(await _grain, args)!;
            await task;
            var result = task is Task<T> typed ? await typed : default!;
            await Silo.Node.YieldAsync();
            answer.TrySetResult(result);
        }
        catch (Exception failure)
        {
            Silo.Node.World.Whisper($"{Id} on {Silo.Node.Name}: {method.Name} failed: {failure.Message}");
            answer.TrySetException(failure is TargetInvocationException { InnerException: { } inner } ? inner : failure);
        }
    }

    private void Forward<T>(MethodInfo method, object?[]? args, TaskCompletionSource<T> answer) => Silo.Node.Start(async () =>
    {
        await Silo.Node.YieldAsync();
        _cluster.Find(Silo, Id).Run(method, args, answer);
    });

    private void Enqueue(Func<Task> work, Action? forward = null)
    {
        _turns.Enqueue((work, forward));
        if (!_isBusy)
        {
            _isBusy = true;
            Silo.Node.Start(WorkAsync);
        }
    }

    private async Task WorkAsync()
    {
        while (_turns.TryDequeue(out var turn))
        {
            await turn.Work();
        }

        _isBusy = false;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<GrainContext>k__BackingField")]
    private static extern ref IGrainContext Context(Grain grain);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<Runtime>k__BackingField")]
    private static extern ref IGrainRuntime Runtime(Grain grain);

    private sealed class ActivationTimer(Activation activation, Func<CancellationToken, Task> callback, TimeSpan period) : IGrainTimer
    {
        private ITimer? _timer;
        private bool _isOver;

        public void Change(TimeSpan dueTime, TimeSpan period)
        {
            _timer?.Dispose();
            _timer = activation.Silo.Node.Clock.CreateTimer(_ => activation.Enqueue(TickAsync), null, dueTime, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            _isOver = true;
            _timer?.Dispose();
        }

        private async Task TickAsync()
        {
            if (_isOver)
            {
                return;
            }

            try
            {
                await callback(CancellationToken.None);
            }
            catch (Exception failure)
            {
                activation.Silo.Node.World.Tell($"a timer of {activation.Id} failed: {failure.Message}");
            }

            if (!_isOver && period != Timeout.InfiniteTimeSpan)
            {
                Change(period, period);
            }
        }
    }
}

/// <summary>What a grain sees of its activation.</summary>
public class SimulatedContext : DispatchProxy
{
    private Activation _activation = null!;

    internal static IGrainContext Of(Activation activation)
    {
        var context = Create<IGrainContext, SimulatedContext>();
        ((SimulatedContext)(object)context)._activation = activation;
        return context;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "get_GrainId":
                return _activation.Id;
            case "get_ActivationServices":
                return SimulatedStreams.Services;
            case nameof(IGrainContext.Deactivate):
                _activation.Deactivate();
                return null;
            default:
                throw new NotSupportedException(targetMethod.Name);
        }
    }
}

/// <summary>What a grain asks of its silo.</summary>
public class SimulatedRuntime : DispatchProxy
{
    private Activation _activation = null!;

    internal static IGrainRuntime Of(Activation activation)
    {
        var runtime = Create<IGrainRuntime, SimulatedRuntime>();
        ((SimulatedRuntime)(object)runtime)._activation = activation;
        return runtime;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "get_TimerRegistry":
                return new Registry(_activation);
            case nameof(IGrainRuntime.DeactivateOnIdle):
                _activation.Deactivate();
                return null;
            default:
                throw new NotSupportedException(targetMethod.Name);
        }
    }

    private sealed class Registry(Activation activation) : ITimerRegistry
    {
        public IDisposable RegisterTimer(IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            throw new NotSupportedException();

        public IGrainTimer RegisterGrainTimer<TState>(
            IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options) =>
            activation.AddTimer(cancellationToken => callback(state, cancellationToken), options);
    }
}
