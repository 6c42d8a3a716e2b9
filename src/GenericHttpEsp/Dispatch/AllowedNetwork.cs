using System.Globalization;
using System.Net;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// One entry of <c>Dispatch:AllowedNetworks</c>: a range or a host name, for one port or for all. A host name opens whatever it resolves to, so only names
/// whose zone the operator controls belong here.
/// </summary>
internal sealed record AllowedNetwork(IPNetwork? Range, string? Host, int? Port)
{
    /// <exception cref="FormatException">Not a range, address or host name.</exception>
    public static AllowedNetwork Parse(string entry)
    {
        var text = entry.Trim();
        var port = SplitPort(ref text);
        if (IPNetwork.TryParse(text, out var range))
        {
            return new AllowedNetwork(range, null, port);
        }

        if (IPAddress.TryParse(text, out var address))
        {
            var plain = PublicInternet.Canonical(address);
            return new AllowedNetwork(new IPNetwork(plain, plain.GetAddressBytes().Length * 8), null, port);
        }

        return Uri.CheckHostName(text) == UriHostNameType.Dns
            ? new AllowedNetwork(null, text.TrimEnd('.'), port)
            : throw new FormatException($"Dispatch:AllowedNetworks: '{entry}' is not a range (10.0.0.0/8), an address or a host name, with or without :port.");
    }

    public bool Allows(string host, IPAddress address, int port) => (Port is null || Port == port)
        && (Range is { } range ? range.Contains(PublicInternet.Canonical(address)) : AllowsHost(host, port));

    public bool AllowsHost(string host, int port) =>
        (Port is null || Port == port) && string.Equals(Host, host.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    /// <summary>Takes <c>:port</c> off; an IPv6 address with a port stands in brackets.</summary>
    private static int? SplitPort(ref string text)
    {
        var colon = text.LastIndexOf(':');
        var bracketed = text.StartsWith('[');
        if (colon < 0 || (!bracketed && text.IndexOf(':') != colon) || (bracketed && text.EndsWith(']')))
        {
            text = text.Trim('[', ']');
            return null;
        }

        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new FormatException($"Dispatch:AllowedNetworks: '{text}' has no valid port.");
        }

        text = text[..colon].Trim('[', ']');
        return port;
    }
}
