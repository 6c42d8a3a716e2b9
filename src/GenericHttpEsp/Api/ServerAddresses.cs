using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Api;

/// <summary>The root of the configuration.</summary>
internal sealed class PublicUrlOptions
{
    /// <summary>The address that ESPs and recipients reach. Unset: the first of <see cref="Urls"/>.</summary>
    [Url]
    public string? PublicUrl { get; set; }

    /// <summary>Where the server listens, separated by semicolons.</summary>
    public string? Urls { get; set; }
}

/// <summary>Where this server is, for links and callback addresses.</summary>
internal sealed class ServerAddresses(IOptions<PublicUrlOptions> options, IServer server)
{
    /// <summary>Without a slash at the end. Behind it come <c>/callbacks/...</c>, <c>/u/...</c>, <c>/p/...</c>.</summary>
    public string PublicUrl => (options.Value.PublicUrl is { Length: > 0 } told ? told : Listening).TrimEnd('/');

    /// <summary>The first address it listens on, as a client on this machine would write it; the real port once it is bound.</summary>
    public string Listening
    {
        get
        {
            var bound = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
            var address = bound ?? options.Value.Urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();
            return Reachable(address ?? "http://localhost:8080");
        }
    }

    // Addresses that mean "every interface" are none that a client can call.
    private static string Reachable(string address)
    {
        var parsed = BindingAddress.Parse(address);
        var host = parsed.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : parsed.Host;
        return $"{parsed.Scheme}://{host}:{parsed.Port}{parsed.PathBase}";
    }
}
