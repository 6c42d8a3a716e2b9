using GenericHttpEsp.Api;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Dispatch;

/// <inheritdoc cref="IEndpointGuard"/>
internal sealed class EndpointGuard(EndpointRules rules, ServerAddresses addresses) : IEndpointGuard
{
    public string? Refuse(Uri endpoint) => rules.Check(endpoint)
        ?? (IsOurs(endpoint) ? "The endpoint is this server itself: its own callbacks or API would get the mail. Write the ESP's address." : null);

    // Under PublicUrl, or the address it listens on: a proxy may serve others beside us on the same host.
    private bool IsOurs(Uri endpoint) => ((string[])[addresses.PublicUrl, addresses.Listening]).Any(own =>
        Uri.TryCreate(own + "/", UriKind.Absolute, out var root)
        && root.Port == endpoint.Port
        && string.Equals(root.IdnHost.TrimEnd('.'), endpoint.IdnHost.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)
        && endpoint.AbsolutePath.StartsWith(root.AbsolutePath, StringComparison.Ordinal));
}
