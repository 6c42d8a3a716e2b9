using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>A process: its continuations, its timers, its clock. It can be paused, and ended without a word.</summary>
internal sealed class Node : TaskScheduler
{
    private readonly List<Action> _whenResumed = [];
    private readonly List<Action> _whenEnded = [];
    private readonly List<Action> _whenSilent = [];

    public Node(World world, string name)
    {
        (World, Name) = (world, name);
        Clock = new NodeClock(this);
    }

    public World World { get; }

    public string Name { get; }

    public NodeClock Clock { get; }

    public List<Task> Ready { get; } = [];

    public bool IsDead { get; private set; }

    public bool IsPaused { get; private set; }

    public override string ToString() => $"{Name} {(IsDead ? "dead" : IsPaused ? "paused" : "alive")} {Ready.Count} ready";

    /// <summary>Starts work in this process, whoever calls.</summary>
    public Task Start(Func<Task> work) => Task.Factory.StartNew(
        () =>
        {
            Background.Scheduler = this;
            return work();
        },
        CancellationToken.None,
        TaskCreationOptions.DenyChildAttach,
        this).Unwrap();

    /// <summary>Another step of this process, a little later.</summary>
    public async Task YieldAsync()
    {
        await Task.Yield();
        if (World.Random.Next(6) == 0)
        {
            await Task.Delay(World.Between(0.05, 20), Clock);
        }
    }

    public void RunOne(int index)
    {
        var task = Ready[index];
        Ready.RemoveAt(index);
        TryExecuteTask(task);
    }

    public void OnResume(Action action) => _whenResumed.Add(action);

    public void OnEnd(Action action) => _whenEnded.Add(action);

    public void OnSilence(Action action) => _whenSilent.Add(action);

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!IsDead)
        {
            World.Tell($"{Name} is killed");
            IsDead = true;
            Ready.Clear();
            World.Remove(this);
            _whenEnded.ForEach(static action => action());
        }
    }

    /// <summary>kill -STOP. What is due meanwhile happens afterwards.</summary>
    public void Pause(TimeSpan time)
    {
        if (IsPaused || IsDead)
        {
            return;
        }

        World.Tell($"{Name} is paused for {time.TotalSeconds:0.0} s");
        IsPaused = true;
        // A server does not wait for ever for a transaction whose owner says nothing.
        World.After(World.Between(1, 1000), () =>
        {
            if (IsPaused)
            {
                _whenSilent.ForEach(static action => action());
            }
        });
        World.After(time, () =>
        {
            IsPaused = false;
            World.Tell($"{Name} goes on");
            var due = _whenResumed.ToArray();
            _whenResumed.Clear();
            foreach (var action in due)
            {
                World.Add(this, TimeSpan.Zero, action);
            }
        });
    }

    protected override void QueueTask(Task task)
    {
        // A finaliser may still call into a process that has ended.
        if (!IsDead)
        {
            World.CheckThread(task);
            Ready.Add(task);
        }
    }

    // Never: a continuation that ran inside another's step could not come late.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => Ready;
}
