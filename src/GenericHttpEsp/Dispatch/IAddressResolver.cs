using System.Net;

namespace GenericHttpEsp.Dispatch;

/// <summary>Looks host names up.</summary>
internal interface IAddressResolver
{
    /// <exception cref="System.Net.Sockets.SocketException">The name cannot be resolved.</exception>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}

/// <summary>The operating system's resolver.</summary>
internal sealed class DnsAddressResolver : IAddressResolver
{
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken) =>
        await Dns.GetHostAddressesAsync(host, cancellationToken);
}
