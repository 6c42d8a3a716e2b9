using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// A port of loopback that nobody listens on. Not one that the system picks: those it gives to outgoing connections too, and one of them may have taken it before
/// anybody listens.
/// </summary>
internal static class FreePort
{
    // Below what systems use for outgoing connections (Linux from 32768 on), and beside the ports that a cluster has by default.
    private const int From = 20_000;
    private const int Count = 9_000;
    private static int _taken = RandomNumberGenerator.GetInt32(Count);

    /// <exception cref="InvalidOperationException">All are in use.</exception>
    public static int Take()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = From + (int)((uint)Interlocked.Increment(ref _taken) % Count);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"All ports from {From} to {From + Count - 1} are in use.");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
