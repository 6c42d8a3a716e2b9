using System.Net;

namespace GenericHttpEsp.Dispatch;

/// <summary>What is said about an endpoint when it is saved. What its name resolves to is checked at every connect.</summary>
internal sealed class EndpointRules(NetworkPolicy policy)
{
    private static readonly string[] LocalZones = ["localhost", "local", "internal", "lan", "home.arpa", "localdomain"];

    /// <summary>Null when it may be saved; else what is wrong and what helps.</summary>
    public string? Check(Uri endpoint)
    {
        if (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https"))
        {
            return "The endpoint must be an absolute http or https URL, like https://api.example.com/v1/send.";
        }

        if (endpoint.UserInfo.Length > 0)
        {
            return "The endpoint must not hold a user name or password: use 'authentication' for them.";
        }

        // Uri has turned 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 into dotted form; a trailing dot hides them from it.
        var host = endpoint.IdnHost.Trim('[', ']').TrimEnd('.');
        if (host.Length == 0)
        {
            return "The endpoint has no host.";
        }

        if (IPAddress.TryParse(host, out var address))
        {
            return policy.Allows(host, address, endpoint.Port) ? null : Refusal($"The address {address}", address.ToString(), endpoint.Port);
        }

        if (policy.AllowsHost(host, endpoint.Port))
        {
            return null;
        }

        return IsLocal(host) || NetworkPolicy.IsOtherProtocol(endpoint.Port) ? Refusal($"The host {host}", host, endpoint.Port) : null;
    }

    private static string Refusal(string subject, string entry, int port) =>
        NetworkPolicy.IsOtherProtocol(port)
            ? $"Port {port} belongs to another protocol. If an ESP really listens there, the operator can add '{Entry(entry, port)}' to Dispatch:AllowedNetworks."
            : $"{subject} is outside the public internet. If it is meant, the operator can add '{Entry(entry, port)}' to Dispatch:AllowedNetworks.";

    private static string Entry(string host, int port) => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";

    // A range of the operator may cover what a local name resolves to, but a bare name must be allowed by name: it can resolve to anything.
    private static bool IsLocal(string host) => !host.Contains('.', StringComparison.Ordinal)
        || LocalZones.Any(zone => host.EndsWith("." + zone, StringComparison.OrdinalIgnoreCase));
}
