using System.Net;
using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class LanePlacementTests
{
    private const int Partitions = 240;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Partition_OfNoMoreSilosThanLanes_StandsBesideItsDispatchers(int count)
    {
        var silos = Silos(count);

        var places = Enumerable.Range(1, Partitions).Select(partition => (Partition: partition, Place: LanePlacement.PlaceOf(Partition(partition), silos))).ToList();

        Assert.All(places, one => Assert.All([1L, 2L, 77L], provider => Assert.Equal(one.Place, LanePlacement.PlaceOf(Dispatcher(provider, one.Partition), silos))));
        // A lane more or less.
        Assert.Equal(count, places.DistinctBy(static one => one.Place).Count());
        Assert.All(places.CountBy(static one => one.Place), share => Assert.InRange(share.Value, Partitions / 8 * (8 / count), Partitions / 8 * ((8 / count) + 1)));
    }

    [Fact]
    public void Partitions_OfMoreSilosThanLanes_GoRoundOverAll()
    {
        var silos = Silos(20);

        var partitions = Enumerable.Range(1, Partitions).CountBy(partition => LanePlacement.PlaceOf(Partition(partition), silos));
        var dispatchers = Enumerable.Range(1, 5).SelectMany(static provider => Enumerable.Range(0, Lanes.Count).Select(lane => Dispatcher(provider, lane)))
            .CountBy(dispatcher => LanePlacement.PlaceOf(dispatcher, silos));

        Assert.Equal(Enumerable.Repeat(Partitions / 20, 20), partitions.Select(static share => share.Value));
        Assert.Equal(Enumerable.Repeat(2, 20), dispatchers.Select(static share => share.Value));
    }

    /// <summary>Each silo decides for itself: all have to come to the same, however they list the members.</summary>
    [Fact]
    public void Place_OfSilosInAnyOrder_IsTheSame()
    {
        var silos = Silos(5);

        Assert.All(Enumerable.Range(1, Partitions), partition => Assert.Equal(
            LanePlacement.PlaceOf(Partition(partition), silos), LanePlacement.PlaceOf(Partition(partition), [.. silos.Reverse()])));
    }

    private static SiloAddress[] Silos(int count) => [.. Enumerable.Range(1, count).Select(static port => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 1))];

    private static GrainId Partition(long partition) => GrainId.Create(GrainType.Create("partition"), GrainIdKeyExtensions.CreateIntegerKey(partition));

    private static GrainId Dispatcher(long provider, long partition) =>
        GrainId.Create(GrainType.Create("dispatcher"), GrainIdKeyExtensions.CreateIntegerKey(provider, Lanes.KeyOf(partition)));
}
