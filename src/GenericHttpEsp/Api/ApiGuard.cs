namespace GenericHttpEsp.Api;

/// <summary>
/// Lets nobody without a key through to <c>/v1</c>. It stands behind routing and looks at the path and at the route found, so that no spelling of a path
/// reaches a guarded route unseen.
/// </summary>
internal sealed class ApiGuard(RequestDelegate next, ApiKeys keys)
{
    private const string Guarded = "/v1";
    private const string Scheme = "Bearer ";
    private static readonly object KeyId = new();

    /// <summary>Id of the key that made this call.</summary>
    public static long CallerOf(HttpContext context) => context.Items[KeyId] is long id ? id : 0;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!IsGuarded(context))
        {
            await next(context);
            return;
        }

        var header = context.Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } value || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            await Problems.Unauthorized("Send the key as: Authorization: Bearer ghe_...").ExecuteAsync(context);
            return;
        }

        if (await keys.FindAsync(value[Scheme.Length..].Trim(), context.RequestAborted) is not { } id)
        {
            await Problems.Unauthorized("The key is not known, or was revoked.").ExecuteAsync(context);
            return;
        }

        context.Items[KeyId] = id;
        await next(context);
    }

    private static bool IsGuarded(HttpContext context) =>
        context.Request.Path.StartsWithSegments(Guarded, StringComparison.OrdinalIgnoreCase)
        || (context.GetEndpoint() is RouteEndpoint route
            && new PathString("/" + route.RoutePattern.RawText?.TrimStart('/')).StartsWithSegments(Guarded, StringComparison.OrdinalIgnoreCase));
}
