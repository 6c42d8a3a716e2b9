using System.Net;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// A silo that is cut from PostgreSQL alone still answers the others' probes, so Orleans keeps it, and with it the campaigns and partitions that it can do nothing for.
/// The others see that its row is not renewed, and declare it dead: its work is theirs, and it ends when it hears of it.
/// </summary>
internal sealed partial class SiloWatch(
    LedgerDatabase database, IClusterMembershipService membership, ILocalSiloDetails local, IOptions<ClusterOptions> options, TimeProvider time, ILogger<SiloWatch> logger)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    // Far more than a busy machine or a full pool takes, and two thirds of it are left to take the work over in 45 s.
    private static readonly TimeSpan PatienceMin = TimeSpan.FromSeconds(20);
    private const int RenewalsMissed = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var patience = TimeSpan.FromSeconds(RenewalsMissed * options.Value.RenewalSeconds);
        var watch = new RenewalWatch(patience > PatienceMin ? patience : PatienceMin, 3 * Every, time);
        await Background.EveryAsync(Every, time, cancellationToken => LookAsync(watch, cancellationToken), stoppingToken);
    }

    private async Task LookAsync(RenewalWatch watch, CancellationToken stoppingToken)
    {
        try
        {
            foreach (var silo in watch.Look(await ReadAsync(stoppingToken)).Where(silo => !silo.Equals(local.SiloAddress)))
            {
                LogCutOff(silo);
                await membership.TryKill(silo);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // The next look is then the first one.
            LogFailed(failure);
        }
    }

    private Task<List<(SiloAddress, DateTime)>> ReadAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "select Address, Port, Generation, IAmAliveTime from OrleansMembership where DeploymentId = @mine and Status = 3 limit 1000",
            static row => (SiloAddress.New(IPAddress.Parse(row.GetString(0)), row.GetInt32(1), row.GetInt32(2)), row.GetDateTime(3)),
            ("@mine", options.Value.ClusterId)),
        cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Silo {Silo} does not reach the database; it is declared dead and its work is taken over")]
    private partial void LogCutOff(SiloAddress silo);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Looking after the other silos failed; trying again")]
    private partial void LogFailed(Exception failure);
}
