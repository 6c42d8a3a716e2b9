namespace GenericHttpEsp.Storage;

/// <summary>
/// Starts work away from its caller: a loop started inside a grain's activation would hold that grain's scheduler for ever, and SQLite blocks its thread.
/// </summary>
internal static class Background
{
    private static readonly AsyncLocal<TaskScheduler?> Own = new();

    /// <summary>The thread pool. The simulation sets another one for what it starts itself: there each continuation is a step that may come late or never.</summary>
    public static TaskScheduler Scheduler
    {
        get => Own.Value ?? TaskScheduler.Default;
        set => Own.Value = value;
    }

    public static Task Run(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Scheduler).Unwrap();

    public static Task<T> Run<T>(Func<Task<T>> work, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(work, cancellationToken, TaskCreationOptions.DenyChildAttach, Scheduler).Unwrap();

    /// <summary>A step after each period, one after the other, until it is to stop; that is no failure.</summary>
    public static async Task EveryAsync(TimeSpan period, TimeProvider time, Func<CancellationToken, Task> step, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await step(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Cancels; what waits for it does not run on the caller's turn.</summary>
    public static Task CancelAsync(CancellationTokenSource source) =>
        Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Scheduler);
}
