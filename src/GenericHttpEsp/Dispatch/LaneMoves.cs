using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Placement;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Brings partitions and dispatchers of this silo to where <see cref="LanePlacement"/> would put them now, once the members have been the same for a while: a silo that
/// joins in the middle of a campaign gets its share. One lane at a time, so the others send meanwhile. What a partition has rendered and not claimed is rendered again; it
/// goes on under a new epoch, and requests on the wire end here.
/// </summary>
internal sealed partial class LaneMoves(
    LaneTenants tenants,
    IClusterMembershipService membership,
    IClusterManifestProvider manifest,
    ILocalSiloDetails local,
    IOptions<ClusterMembershipOptions> options,
    TimeProvider time,
    ILogger<LaneMoves> logger) : BackgroundService
{
    private static readonly GrainType Dispatcher = GrainType.Create("dispatcher");
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    // Orleans gives an activation 30 s to end.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    // Two probes of everybody: a silo that joined and cannot be reached from here has missed them by then. 10 s, unless probes are asked for otherwise.
    private readonly SettledSilos _settled = new(2 * options.Value.ProbeTimeout, time);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Background.EveryAsync(Every, time, LookAsync, stoppingToken);
    }

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        var silos = Silos();
        if (!_settled.Look(silos) || !silos.Contains(local.SiloAddress))
        {
            return;
        }

        // Who has just come stays as well: two silos that do not agree on the members would throw it to and fro.
        var lane = tenants.All.Where(tenant => _settled.IsLongAgo(tenant.Since))
            .Select(tenant => (Tenant: tenant, Place: LanePlacement.PlaceOf(tenant.Context.GrainId, silos)))
            .Where(move => !move.Place.Equals(local.SiloAddress))
            .GroupBy(static move => Lanes.NumberOf(move.Tenant.Context.GrainId))
            .MinBy(static lane => lane.Key);
        if (lane is null)
        {
            return;
        }

        var began = time.GetTimestamp();
        try
        {
            // Dispatchers end their streams first: partitions would wait for room, and dispatchers for them.
            await Task.WhenAll(lane.Select(static move => move.Tenant.LeaveAsync())).WaitAsync(Patience, time, stoppingToken);
            await Task.WhenAll(lane.Select(move => MoveAsync(move.Tenant, move.Place, stoppingToken)));
            var (moved, took) = (lane.Count(), (long)time.GetElapsedTime(began).TotalMilliseconds);
            LogMoved(lane.Key, moved, took);
        }
        catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
        {
            // Whoever is still here is looked at again; a partition that ended is begun again by the sweeper's next poke.
            LogNotMoved(failure, lane.Key);
        }
    }

    private async Task MoveAsync(LaneTenant tenant, SiloAddress place, CancellationToken stoppingToken)
    {
        tenant.Context.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = place }, CancellationToken.None);
        await tenant.Context.Deactivated.WaitAsync(Patience, time, stoppingToken);
        await tenant.GoOnAsync();
    }

    /// <summary>Those that can have dispatchers, and so partitions: a silo is a member a moment before the others know its grains.</summary>
    private HashSet<SiloAddress> Silos()
    {
        var known = manifest.Current.Silos;
        return [.. membership.CurrentSnapshot.Members.Values
            .Where(member => member.Status == SiloStatus.Active && known.TryGetValue(member.SiloAddress, out var grains) && grains.Grains.ContainsKey(Dispatcher))
            .Select(static member => member.SiloAddress)];
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Lane {Lane} now stands where the present silos want it: {Activations} activations moved in {Milliseconds} ms")]
    private partial void LogMoved(long lane, int activations, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lane {Lane} could not be moved to where the present silos want it; looking again")]
    private partial void LogNotMoved(Exception failure, long lane);
}
