using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace GenericHttpEsp.Wiring;

/// <summary>Are the addresses of <c>Urls</c> free? Kestrel has the last word; this only finds out before the silo has started.</summary>
internal static class ListenAddresses
{
    private const int PortsTriedMax = 100;

    public static void RefuseTaken(string? urls)
    {
        if (FirstTaken(urls) is { } taken)
        {
            throw new InvalidOperationException($"{taken} is in use. Stop the program that has it, or set Urls, such as --Urls=http://localhost:8081.");
        }
    }

    /// <summary>The same addresses, each moved up to the next port that is free.</summary>
    public static string NextFree(string urls) => string.Join(';', urls
        .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(static url => IsTaken(BindingAddress.Parse(url)) ? Next(BindingAddress.Parse(url)) : url));

    public static string? FirstTaken(string? urls) => urls?
        .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .FirstOrDefault(static url => IsTaken(BindingAddress.Parse(url)));

    private static string Next(BindingAddress taken) => Enumerable.Range(taken.Port + 1, PortsTriedMax)
        .Where(static port => port <= IPEndPoint.MaxPort)
        .Select(port => string.Create(CultureInfo.InvariantCulture, $"{taken.Scheme}://{taken.Host}:{port}{taken.PathBase}"))
        .FirstOrDefault(static url => !IsTaken(BindingAddress.Parse(url)))
        ?? throw new InvalidOperationException($"Port {taken.Port} and the {PortsTriedMax} after it are in use.");

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
