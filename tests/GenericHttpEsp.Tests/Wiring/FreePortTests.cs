using System.Net;
using System.Net.Sockets;
using GenericHttpEsp.Wiring;

namespace GenericHttpEsp.Tests.Wiring;

public sealed class FreePortTests
{
    /// <summary>A port is told before anybody listens on it: who asks meanwhile must get another one, also of the system for an outgoing connection.</summary>
    [Fact]
    public async Task Port_ThatIsTaken_IsNobodyElses()
    {
        var ports = await Task.WhenAll(Enumerable.Range(0, 200).Select(static _ => Task.Run(FreePort.Take)));
        Assert.Equal(ports.Length, ports.Distinct().Count());
        Assert.All(ports, static port => Assert.InRange(port, 20_000, 28_999));
    }

    [Fact]
    public void Port_SomebodyListensOn_IsPassedBy()
    {
        // Those that are next in line. Tests beside this one take ports too: what they have already is as good.
        var next = FreePort.Take();
        var listeners = Enumerable.Range(next + 1, 20).Select(static port => new TcpListener(IPAddress.Loopback, port)).Where(TryStart).ToList();
        var listened = listeners.ConvertAll(static listener => ((IPEndPoint)listener.LocalEndpoint).Port);

        var taken = Enumerable.Range(0, 5).Select(static _ => FreePort.Take()).ToList();

        listeners.ForEach(static listener => listener.Dispose());
        Assert.NotEmpty(listened);
        Assert.DoesNotContain(taken, listened.Contains);
    }

    private static bool TryStart(TcpListener listener)
    {
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            listener.Dispose();
            return false;
        }
    }
}
