using System.Globalization;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Partitions stand at the silos in turn, a lane together with its dispatchers while there are no more silos than lanes. By load, as is the default, all that begin
/// at one moment stand where the load was least a moment ago, mostly at the silo that starts the campaign. <see cref="LaneMoves"/> follows the members.
/// </summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking, Alias("ghe.LanePlacement")]
public sealed class LanePlacement : PlacementStrategy
{
    internal static LanePlacement Instance { get; } = new();

    /// <summary>Where a partition or a dispatcher stands while these are the silos.</summary>
    internal static SiloAddress PlaceOf(GrainId grain, IReadOnlyCollection<SiloAddress> silos)
    {
        var key = grain.GetIntegerKey(out var extension);
        var lane = Lanes.NumberOf(grain);
        // With more silos than lanes partitions go round over all of them, and providers do not all send from the first eight.
        var turn = silos.Count <= Lanes.Count ? lane : extension is null ? key : (key * Lanes.Count) + lane;
        return silos.Order().ElementAt((int)(turn % silos.Count));
    }
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
        return Task.FromResult(IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) ?? LanePlacement.PlaceOf(target.GrainIdentity, silos));
    }
}

/// <summary>They bound how many dispatchers a provider has; partitions share them.</summary>
internal static class Lanes
{
    public const int Count = 8;
    private const string Prefix = "lane";

    /// <summary>Beside the provider's id the key of the partition's dispatcher.</summary>
    public static string KeyOf(long partition) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{partition % Count}");

    /// <summary>Of a partition or a dispatcher.</summary>
    public static long NumberOf(GrainId grain)
    {
        var key = grain.GetIntegerKey(out var extension);
        return extension is null ? key % Count : long.Parse(extension.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
