using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary>Removes what is too old, step by step. On every silo; an advisory lock of the database lets one of them at it.</summary>
internal sealed partial class RetentionSweeper(
    LedgerDatabase database, IEnumerable<IRetentionJob> jobs, IOptions<RetentionOptions> options, TimeProvider time, ILogger<RetentionSweeper> logger) : BackgroundService
{
    public const long LockId = 0x47_48_45_52_54;

    /// <summary>Runs every job to its end, unless another silo is at it: then answers false.</summary>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        if (database.Engine == StorageEngine.Sqlite)
        {
            await RunAllAsync(cancellationToken);
            return true;
        }

        await using var turn = await database.OpenSessionAsync(cancellationToken);
        if (!await turn.FirstAsync($"select pg_try_advisory_lock({LockId})", static row => row.GetBoolean(0)))
        {
            return false;
        }

        try
        {
            await RunAllAsync(cancellationToken);
            return true;
        }
        finally
        {
            // Not left to the connection's end: it goes back to a pool.
            await turn.ExecuteAsync($"select pg_advisory_unlock({LockId})");
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Background.EveryAsync(TimeSpan.FromMinutes(options.Value.EveryMinutes), time, TrySweepAsync, stoppingToken);
    }

    private async Task TrySweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            await SweepAsync(stoppingToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailed(failure, "everything");
        }
    }

    private async Task RunAllAsync(CancellationToken cancellationToken)
    {
        foreach (var job in jobs)
        {
            try
            {
                await RunAsync(job, cancellationToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // A lock that could not be had, a database that is away: the next round tries again, and the other jobs go on.
                LogFailed(failure, job.Removes);
            }
        }
    }

    private async Task RunAsync(IRetentionJob job, CancellationToken cancellationToken)
    {
        var removed = 0L;
        while (await job.StepAsync(cancellationToken) is > 0 and var some)
        {
            removed += some;
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (removed > 0)
        {
            LogRemoved(job.Removes, removed);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Older than retention: removed {Removed} {Kind}")]
    private partial void LogRemoved(string kind, long removed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Removing {Kind} older than retention failed; trying again")]
    private partial void LogFailed(Exception failure, string kind);
}
