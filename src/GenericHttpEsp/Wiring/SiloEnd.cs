using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// The end of a silo that may not go on: the others declared it dead (it was paused, starved or cut off, and its work is theirs now), or a loop of Orleans
/// broke. Orleans ends the process on the spot. Here it ends in order, so that answers which are on their way still become outcomes: what it writes is
/// fenced by epochs and versions, so it is true or it is refused. The exit code tells the orchestrator to start it again.
/// </summary>
internal sealed partial class SiloEnd(IHostApplicationLifetime lifetime, IOptions<ClusterOptions> options, ILogger<SiloEnd> logger) : IFatalErrorHandler
{
    /// <summary>EX_TEMPFAIL of sysexits.h: start it again.</summary>
    public const int ExitCode = 75;

    // After the shutdown's own budget.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private int _isEnding;

    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        if (Interlocked.Exchange(ref _isEnding, 1) == 0)
        {
            LogEnding(exception, context);
            Environment.ExitCode = ExitCode;
            lifetime.StopApplication();
            EndAsync().Ignore();
        }
    }

    private async Task EndAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(options.Value.ShutdownSeconds) + Patience);
        Environment.Exit(ExitCode);
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "This silo cannot go on and ends; start it again. {Reason}")]
    private partial void LogEnding(Exception? failure, string? reason);
}
