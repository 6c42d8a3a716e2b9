using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Dispatch;

/// <inheritdoc cref="IEndpointGuard"/>
internal sealed class EndpointGuard(EndpointRules rules) : IEndpointGuard
{
    public string? Refuse(Uri endpoint) => rules.Check(endpoint);
}
