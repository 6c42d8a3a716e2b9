namespace GenericHttpEsp.Sandbox;

/// <summary>The parts of one stand-in ESP.</summary>
internal sealed class SandboxEsp : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private SandboxBehaviour _behaviour;

    private SandboxEsp(SandboxOptions options, TimeProvider time, SandboxLog log, SandboxSignal signal)
    {
        (Options, Time, Log, Signal) = (options, time, log, signal);
        _behaviour = options.Behaviour;
        Stopping = _stop.Token;
        Gate = new SandboxGate(signal);
        Tally = new SandboxTally(options);
        Judge = new SandboxJudge(Tally, new SandboxBatchKeys(options.BatchKeysMax, time));
        Requests = new SandboxRequests(options.KeepBodies, options.KeepBodyBytesMax);
        Callbacks = new SandboxCallbacks(options, time, log);
    }

    public SandboxOptions Options { get; }

    public TimeProvider Time { get; }

    public SandboxLog Log { get; }

    public SandboxSignal Signal { get; }

    public SandboxGate Gate { get; }

    public SandboxTally Tally { get; }

    public SandboxJudge Judge { get; }

    public SandboxRequests Requests { get; }

    public SandboxCallbacks Callbacks { get; }

    /// <summary>Held and slow requests end when this does.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>A request keeps the behaviour it found at its head.</summary>
    public SandboxBehaviour Behaviour
    {
        get => Volatile.Read(ref _behaviour);
        set => Volatile.Write(ref _behaviour, value);
    }

    public static async Task<SandboxEsp> OpenAsync(SandboxOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var signal = new SandboxSignal();
        return new SandboxEsp(options, time, await SandboxLog.OpenAsync(options, time, signal, cancellationToken), signal);
    }

    public SandboxSummary Summary() => Callbacks.AddTo(Tally.Summary()) with
    {
        Requests = Log.LastRequest,
        OpenRequests = Log.Open,
        EntriesForgotten = Log.Forgotten,
    };

    public Task StopAsync() => _stop.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Callbacks.DisposeAsync();
        await Log.DisposeAsync();
        _stop.Dispose();
    }
}
