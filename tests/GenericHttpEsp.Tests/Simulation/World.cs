namespace GenericHttpEsp.Tests.Simulation;

/// <summary>
/// One thread, one clock and one source of chance for everything of a seed. Each continuation of our code is a step; which one goes on, and how late, is
/// drawn. Time moves only when nobody wants to go on, or when a draw says that those who want are slow.
/// </summary>
internal sealed class World(int seed)
{
    private const int StepsMax = 300_000;
    private const int TraceMax = 4000;
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Happening, (long Due, long Order)> _agenda = new();
    private readonly List<Node> _nodes = [];
    private readonly Queue<string> _trace = [];
    private long _order;
    private int _thread;

    public Random Random { get; } = new(seed);

    public int Seed => seed;

    /// <summary>100 ns since the start.</summary>
    public long Ticks { get; private set; }

    public double Seconds => Ticks / (double)TimeSpan.TicksPerSecond;

    public DateTimeOffset Now => Start.AddTicks(Ticks);

    public int Steps { get; private set; }

    /// <summary>Tells two runs of one seed apart that should be the same.</summary>
    public long Fingerprint { get; private set; } = 17;

    /// <summary>Prints each line of the trace.</summary>
    public bool IsTalking { get; init; }

    /// <summary>Asked after every step: may end a node at this await.</summary>
    public Action? AfterStep { get; set; }

    /// <summary>What went wrong with the simulation itself; must stay empty.</summary>
    public List<string> Escapes { get; } = [];

    public IEnumerable<string> Trace => _trace;

    public bool Chance(double probability) => Random.NextDouble() < probability;

    /// <summary>Between two numbers of milliseconds, small ones more often.</summary>
    public TimeSpan Between(double least, double most) => TimeSpan.FromMilliseconds(least + ((most - least) * Math.Pow(Random.NextDouble(), 3)));

    public Node AddNode(string name)
    {
        var node = new Node(this, name);
        _nodes.Add(node);
        return node;
    }

    public void Remove(Node node) => _nodes.Remove(node);

    /// <summary>Something that happens outside of all processes.</summary>
    public void After(TimeSpan wait, Action happens) => Add(null, wait, happens);

    public void Add(Node? node, TimeSpan wait, Action happens) =>
        _agenda.Enqueue(new Happening(node, happens), (Ticks + Math.Max(0, wait.Ticks), _order++));

    /// <summary>Only for one who listens.</summary>
    public void Whisper(string line)
    {
        if (IsTalking)
        {
            Console.WriteLine($"{Seconds,10:0.000000}   {line}");
        }
    }

    public void Tell(string line)
    {
        var text = $"{Seconds,10:0.000000} {line}";
        if (IsTalking)
        {
            Console.WriteLine(text);
        }

        _trace.Enqueue(text);
        if (_trace.Count > TraceMax)
        {
            _trace.Dequeue();
        }
    }

    public void CheckThread(Task? who = null)
    {
        if (Environment.CurrentManagedThreadId != _thread && _thread != 0)
        {
            lock (Escapes)
            {
                Escapes.Add($"{who?.AsyncState} {Environment.StackTrace}");
            }
        }
    }

    /// <summary>Runs until the story is over. False when it does not end.</summary>
    public bool Run(Func<bool> isOver)
    {
        _thread = Environment.CurrentManagedThreadId;
        var last = Steps + StepsMax;
        while (!isOver())
        {
            if (Steps++ > last || !Step())
            {
                return false;
            }

            AfterStep?.Invoke();
        }

        return true;
    }

    private bool Step()
    {
        var ready = 0;
        foreach (var node in _nodes)
        {
            ready += node.IsPaused ? 0 : node.Ready.Count;
        }

        // Once in a while those who could go on are slow, and what is due comes first.
        if (ready == 0 || (_agenda.Count > 0 && Random.Next(40) == 0))
        {
            return Happen();
        }

        var chosen = Random.Next(ready);
        foreach (var node in _nodes.Where(static node => !node.IsPaused))
        {
            if (chosen < node.Ready.Count)
            {
                Ticks += Random.Next(500);
                Fingerprint = unchecked((Fingerprint * 31) + Ticks + chosen);
                node.RunOne(chosen);
                return true;
            }

            chosen -= node.Ready.Count;
        }

        return true;
    }

    private bool Happen()
    {
        if (!_agenda.TryDequeue(out var next, out var at))
        {
            return false;
        }

        if (next.Node is { IsPaused: true } node)
        {
            node.OnResume(next.Happens);
            return true;
        }

        Ticks = Math.Max(Ticks, at.Due);
        if (next.Node is not { IsDead: true })
        {
            next.Happens();
        }

        return true;
    }

    private sealed record Happening(Node? Node, Action Happens);
}
