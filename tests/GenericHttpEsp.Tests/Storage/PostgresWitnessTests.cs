using GenericHttpEsp.Storage;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Storage;

public sealed class PostgresWitnessTests
{
    private static readonly PostgresPlace Place = new(16384, 20001, 1, 1_000_000);

    [Fact]
    public void Doubt_FirstConnection_HasNone() => Assert.Null(new PostgresWitness(trustsFailover: false).Doubt(null, Place));

    [Theory]
    [InlineData(16384, 20001, 1, 1_000_500, null)]
    [InlineData(16384, 20001, 1, 1_000_499, "lost the last 1 bytes")]
    [InlineData(16384, 20001, 2, 1_000_600, "timeline changed from 1 to 2")]
    [InlineData(16385, 20001, 1, 1_000_600, "another database")]
    [InlineData(16384, 20007, 1, 1_000_600, "another database")]
    public void Doubt_AfterACommit_ComparesWithWhatIsKnown(long database, long settings, int timeline, long position, string? doubt)
    {
        var witness = new PostgresWitness(trustsFailover: false);
        witness.Accept(Place);
        witness.Note(1_000_500);
        witness.Note(1_000_200);

        var because = witness.Doubt(witness.Known, new PostgresPlace(database, settings, timeline, position));

        Assert.Equal(doubt is null, because is null);
        Assert.Contains(doubt ?? "", because ?? "", StringComparison.Ordinal);
    }

    /// <summary>The answer was on its way while another connection committed, and was noted first.</summary>
    [Fact]
    public void Doubt_ACommitNotedWhileAsking_IsNone()
    {
        var witness = new PostgresWitness(trustsFailover: false);
        witness.Accept(Place);
        var before = witness.Known;
        witness.Note(Place.Position + 392);

        Assert.Null(witness.Doubt(before, Place));
    }

    [Theory]
    [InlineData(1_000_600, false)]
    [InlineData(900_000, true)]
    public void Doubt_OfATrustedFailover_IsAboutItsPositionOnly(long position, bool doubted)
    {
        var witness = new PostgresWitness(trustsFailover: true);
        witness.Accept(Place);

        Assert.Equal(doubted, witness.Doubt(witness.Known, Place with { Timeline = 2, Position = position }) is not null);
    }

    [Fact]
    public void Doubt_BeforeTheFirstMigration_DoesNotMissTheTable()
    {
        var witness = new PostgresWitness(trustsFailover: false);
        witness.Accept(Place with { Settings = 0 });
        Assert.Null(witness.Doubt(witness.Known, Place));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(-400)]
    public void ClusterTime_OnAMachineThatIsWrong_IsTheDatabases(int days)
    {
        var machine = new FakeTimeProvider();
        var time = new ClusterTime(machine);
        var database = machine.GetUtcNow().AddDays(days);

        Assert.Equal(TimeSpan.FromDays(days), time.Follow(database));
        Assert.Equal(database, time.GetUtcNow());
        machine.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(database.AddSeconds(5), time.GetUtcNow());
        Assert.Equal(machine.GetTimestamp(), time.GetTimestamp());
    }

    [Fact]
    public void ClusterTime_WithinASecond_IsTheMachines()
    {
        var machine = new FakeTimeProvider();
        var time = new ClusterTime(machine);
        time.Follow(machine.GetUtcNow().AddMilliseconds(900));
        Assert.Equal(machine.GetUtcNow(), time.GetUtcNow());
    }
}
