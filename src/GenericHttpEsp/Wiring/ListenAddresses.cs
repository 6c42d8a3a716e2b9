using System.Net;
using System.Net.Sockets;

namespace GenericHttpEsp.Wiring;

/// <summary>Are the addresses of <c>Urls</c> free? Kestrel has the last word; this only finds out before the silo has started.</summary>
internal static class ListenAddresses
{
    public static void RefuseTaken(string? urls)
    {
        if (FirstTaken(urls) is { } taken)
        {
            throw new InvalidOperationException($"{taken} is in use. Stop the program that has it, or set Urls, such as --Urls=http://localhost:8081.");
        }
    }

    public static string? FirstTaken(string? urls) => urls?
        .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .FirstOrDefault(static url => IsTaken(BindingAddress.Parse(url)));

    private static bool IsTaken(BindingAddress address)
    {
        if (address.IsUnixPipe || address.Port == 0)
        {
            return false;
        }

        var host = address.Host.Trim('[', ']');
        var ip = IPAddress.TryParse(host, out var parsed) ? parsed : host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        using var listener = new TcpListener(ip, address.Port);
        try
        {
            listener.Start();
            return false;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return true;
        }
        catch (SocketException)
        {
            // Not ours to judge: Kestrel will say why.
            return false;
        }
    }
}
