using System.Net;
using GenericHttpEsp.Wiring;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Wiring;

public sealed class RenewalWatchTests
{
    private static readonly SiloAddress Cut = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Well = SiloAddress.New(IPAddress.Loopback, 2, 1);
    private readonly FakeTimeProvider _time = new();
    private readonly RenewalWatch _watch;
    private int _renewals;

    public RenewalWatchTests() => _watch = new RenewalWatch(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(6), _time);

    [Fact]
    public void Look_AtARowThatStandsStill_NamesItWhenPatienceIsOver()
    {
        Assert.Empty(Look(after: 0));
        for (var second = 2; second < 20; second += 2)
        {
            Assert.Empty(Look(after: 2));
        }

        Assert.Equal([Cut], Look(after: 2));
    }

    /// <summary>Nobody could renew while the database was away, and nobody could look.</summary>
    [Fact]
    public void Look_AfterTheDatabaseWasAway_BeginsAnew()
    {
        Look(after: 0);
        Look(after: 5);
        Assert.Empty(Look(after: 60));
        for (var second = 5; second < 20; second += 5)
        {
            Assert.Empty(Look(after: 5));
        }

        Assert.Equal([Cut], Look(after: 5));
    }

    /// <summary>A machine whose clock is years behind writes old times, and writes them again and again.</summary>
    [Fact]
    public void Look_AtTimesOfAWrongClock_ComparesThemWithThemselvesOnly()
    {
        for (var look = 0; look < 30; look++)
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.Empty(_watch.Look([(Well, DateTime.UnixEpoch.AddSeconds(-look))]));
        }
    }

    private List<SiloAddress> Look(int after)
    {
        _time.Advance(TimeSpan.FromSeconds(after));
        return _watch.Look([(Cut, DateTime.UnixEpoch), (Well, DateTime.UnixEpoch.AddSeconds(++_renewals))]);
    }
}
