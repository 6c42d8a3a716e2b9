using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// Two clusters with different <c>Cluster:ClusterId</c> do not see each other: over one database they would run every campaign twice side by side, each turning the
/// other's claims away. The later one waits until the other has ended.
/// </summary>
internal sealed partial class OtherClusters(LedgerDatabase database, IOptions<ClusterOptions> cluster, TimeProvider time, ILogger<OtherClusters> logger)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);

    // Silos report every 30 seconds that they live; those that were killed stand in the table for ever.
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(90);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        for (var said = ""; await FindAsync(cancellationToken) is { } other;)
        {
            if (said != other)
            {
                LogWaiting(other, cluster.Value.ClusterId);
                said = other;
            }

            await Task.Delay(Step, time, cancellationToken);
        }
    }

    private Task<string?> FindAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.FirstAsync(
            """
            select DeploymentId from OrleansMembership
            where DeploymentId <> @mine and Status = 3 and IAmAliveTime > @since
            order by IAmAliveTime desc limit 1
            """,
            static row => row.GetString(0),
            ("@mine", cluster.Value.ClusterId), ("@since", time.GetUtcNow() - Alive)),
        cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cluster {Other} uses this database. Cluster {Mine} waits until it has ended: stop its silos, set the same Cluster:ClusterId, or use another database")]
    private partial void LogWaiting(string other, string mine);
}
