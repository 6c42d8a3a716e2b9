using System.Net;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class SettledSilosTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Silos_ThatStayTheSameForTheWholeTime_AreSettled()
    {
        var settled = new SettledSilos(TimeSpan.FromSeconds(10), _time);

        Assert.False(settled.Look(Silos(1, 2)));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(settled.Look(Silos(2, 1)));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(settled.Look(Silos(1, 2)));
        Assert.True(settled.Look(Silos(1, 2)));
    }

    /// <summary>One that joins, one that leaves, and one that comes and goes every few seconds.</summary>
    [Fact]
    public void Silos_ThatComeAndGo_BeginTheTimeAnew()
    {
        var settled = new SettledSilos(TimeSpan.FromSeconds(10), _time);
        for (var round = 0; round < 10; round++)
        {
            settled.Look(Silos(1, 2));
            _time.Advance(TimeSpan.FromSeconds(6));
            Assert.False(settled.Look(Silos(1, 2)));
            Assert.False(settled.Look(Silos(1, 2, 3)));
            _time.Advance(TimeSpan.FromSeconds(6));
            Assert.False(settled.Look(Silos(1, 2, 3)));
        }

        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.True(settled.Look(Silos(1, 2, 3)));
    }

    /// <summary>A process of the same address is another silo: nothing of the one before is there.</summary>
    [Fact]
    public void Silo_ThatWasStartedAgain_IsAnotherOne()
    {
        var settled = new SettledSilos(TimeSpan.FromSeconds(10), _time);
        settled.Look([Silo(1, generation: 1)]);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.False(settled.Look([Silo(1, generation: 2)]));
    }

    private static HashSet<SiloAddress> Silos(params int[] ports) => [.. ports.Select(static port => Silo(port, generation: 1))];

    private static SiloAddress Silo(int port, int generation) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), generation);
}
