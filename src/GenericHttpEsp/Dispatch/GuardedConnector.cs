using System.Net;
using System.Net.Sockets;

namespace GenericHttpEsp.Dispatch;

/// <summary>The endpoint leads somewhere that the policy does not allow.</summary>
internal sealed class RefusedAddressException(string host)
    : IOException($"{host} leads to an address that endpoints may not reach (Dispatch:AllowedNetworks)");

/// <summary>No permitted address answered in time.</summary>
internal sealed class ConnectTimeoutException() : IOException("connect: time-out");

/// <summary>
/// Opens the connections of the HTTP client: looks the name up, keeps the permitted addresses and dials exactly these, so that a name cannot change its mind
/// between the check and the call.
/// </summary>
internal sealed class GuardedConnector(IAddressResolver resolver, NetworkPolicy policy, TimeSpan connectTimeout, TimeProvider time)
{
    private const int AddressesMax = 8;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(connectTimeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await DialAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, stop.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw new ConnectTimeoutException();
        }
    }

    private async Task<Stream> DialAsync(string host, int port, CancellationToken cancellationToken)
    {
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await resolver.ResolveAsync(host, cancellationToken);
        var permitted = found.Where(address => policy.Allows(host, address, port)).Take(AddressesMax).ToList();
        if (permitted.Count == 0)
        {
            throw found.Count == 0 ? new SocketException((int)SocketError.HostNotFound) : new RefusedAddressException(host);
        }

        for (var i = 0; ; i++)
        {
            try
            {
                return await DialAsync(permitted[i], port, connectTimeout / permitted.Count, cancellationToken);
            }
            catch (Exception failure) when (i < permitted.Count - 1 && failure is SocketException or ConnectTimeoutException)
            {
                // The next address may answer; the last one's failure is told.
            }
        }
    }

    private async Task<Stream> DialAsync(IPAddress address, int port, TimeSpan share, CancellationToken cancellationToken)
    {
        // A black hole behind the first address must leave time for the second.
        using var timeout = new CancellationTokenSource(share, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), stop.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception failure)
        {
            socket.Dispose();
            if (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new ConnectTimeoutException();
            }

            throw;
        }
    }
}
