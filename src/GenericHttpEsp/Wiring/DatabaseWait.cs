using System.Data.Common;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// A silo that starts before its database, or while nobody may connect, waits for it and says so: ending would make the orchestrator start it again and again.
/// </summary>
internal sealed partial class DatabaseWait(LedgerDatabase database, TimeProvider time, ILogger<DatabaseWait> logger)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(1);

    public async Task<LedgerSession> OpenAsync(CancellationToken cancellationToken)
    {
        var (said, saidAt) = ("", 0L);
        while (true)
        {
            try
            {
                return await database.OpenSessionAsync(cancellationToken);
            }
            catch (DbException away)
            {
                if (away.Message != said || time.GetElapsedTime(saidAt) > SayAgain)
                {
                    LogWaiting(Reason(away));
                    (said, saidAt) = (away.Message, time.GetTimestamp());
                }
            }

            await Task.Delay(Step, time, cancellationToken);
        }
    }

    private static string Reason(DbException away) => away.InnerException is { } inner ? $"{away.Message}: {inner.Message}" : away.Message;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting for PostgreSQL (ConnectionStrings:Postgres), trying every 2 seconds: {Reason}")]
    private partial void LogWaiting(string reason);
}
