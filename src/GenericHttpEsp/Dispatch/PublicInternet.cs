using System.Net;
using System.Net.Sockets;

namespace GenericHttpEsp.Dispatch;

/// <summary>Which addresses belong to the public internet. From the IANA special-purpose address registries (RFC 6890 and its updates).</summary>
internal static class PublicInternet
{
    private static readonly IPNetwork[] Special4 = Networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    // Unicast on the internet is 2000::/3; ULA, link-local, multicast, loopback, discard-only, SRv6 and IPv4-compatible addresses lie outside.
    private static readonly IPNetwork Unicast6 = IPNetwork.Parse("2000::/3");

    // 2001::/23 holds Teredo, benchmarking and ORCHID; 2002::/16 is 6to4, which carries any IPv4 address; the others are documentation and AS112.
    private static readonly IPNetwork[] Special6 = Networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20");

    // Networks without IPv4 reach IPv4 hosts through this prefix, so the address inside decides. The local-use 64:ff9b:1::/48 stays closed.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool Contains(IPAddress address)
    {
        var plain = Canonical(address);
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Special4.Any(network => network.Contains(plain)),
            AddressFamily.InterNetworkV6 => Unicast6.Contains(plain) && !Special6.Any(network => network.Contains(plain)),
            _ => false,
        };
    }

    /// <summary>The address that is really reached: mapped and NAT64 forms become IPv4, scopes go.</summary>
    public static IPAddress Canonical(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        return address.IsIPv4MappedToIPv6 || Nat64.Contains(new IPAddress(bytes)) ? new IPAddress(bytes.AsSpan(12)) : new IPAddress(bytes);
    }

    private static IPNetwork[] Networks(params string[] ranges) => [.. ranges.Select(IPNetwork.Parse)];
}
