using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Partitions stand at the silos in turn. By load, as is the default, all that begin at one moment stand where the load was least a moment ago, mostly at the
/// silo that starts the campaign. Partitions of one lane stand together while there are no more silos than lanes: their dispatcher is local to all of them.
/// </summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("ghe.LanePlacement")]
public sealed class LanePlacement : PlacementStrategy
{
    internal static LanePlacement Instance { get; } = new();
}

/// <inheritdoc cref="LanePlacement"/>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LanePlacementAttribute() : PlacementAttribute(LanePlacement.Instance);

/// <inheritdoc cref="LanePlacement"/>
internal sealed class LanePlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hint)
        {
            return Task.FromResult(hint);
        }

        var partition = target.GrainIdentity.GetIntegerKey();
        var turn = silos.Length > PartitionWork.Lanes ? partition : PartitionWork.LaneNumber(partition);
        return Task.FromResult(silos.Order().ElementAt((int)(turn % silos.Length)));
    }
}
