using System.Net;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>What endpoints may reach: the public internet, and what the operator allows beside it.</summary>
internal sealed class NetworkPolicy(IOptions<DispatchOptions> options)
{
    // Protocols that can be made to do something by the text of an HTTP request, and databases. After the fetch standard's bad ports.
    private static readonly HashSet<int> OtherProtocols =
        [7, 9, 19, 21, 22, 23, 25, 53, 69, 79, 110, 111, 119, 135, 139, 143, 161, 389, 445, 465, 514, 587, 636, 873, 993, 995, 1433, 2049, 3306, 5432, 6379, 11211, 27017];

    private readonly AllowedNetwork[] _allowed = [.. options.Value.AllowedNetworks.Select(AllowedNetwork.Parse)];

    /// <param name="host">The name as it stands in the endpoint.</param>
    /// <param name="address">What it resolved to, and what will be dialled.</param>
    /// <param name="port">On the public internet any but those of other protocols; an allowed network says itself.</param>
    public bool Allows(string host, IPAddress address, int port) =>
        (PublicInternet.Contains(address) && !OtherProtocols.Contains(port)) || _allowed.Any(entry => entry.Allows(host, address, port));

    /// <summary>The operator allows this name, whatever it resolves to.</summary>
    public bool AllowsHost(string host, int port) => _allowed.Any(entry => entry.AllowsHost(host, port));

    /// <summary>The port of another protocol, which only an entry of the operator opens.</summary>
    public static bool IsOtherProtocol(int port) => OtherProtocols.Contains(port);
}
