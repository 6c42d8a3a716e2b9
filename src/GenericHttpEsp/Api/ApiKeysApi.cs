namespace GenericHttpEsp.Api;

/// <summary><c>/v1/keys</c>.</summary>
internal static class ApiKeysApi
{
    private const int BodyBytesMax = 4096;

    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Keys");
        keys.MapGet("", ListAsync).Produces<Page<ApiKeyAnswer>>();
        keys.MapPost("", AddAsync).Accepts<ApiKeyRequest>("application/json").Produces<ApiKeyMade>(StatusCodes.Status201Created);
        keys.MapDelete("{id:long}", RevokeAsync).Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, ApiKeyStore store, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        return Results.Ok(Page.Of(await store.PageAsync(page, cancellationToken), page.Limit, static key => key.Id));
    }

    // No Idempotency-Key here: a stored answer would be a stored secret.
    private static async Task<IResult> AddAsync(HttpRequest request, ApiKeyStore store, ApiKeys keys, CancellationToken cancellationToken)
    {
        var (body, problem) = await ApiBody.ReadAsync<ApiKeyRequest>(request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return problem!;
        }

        var made = ApiKeyFormat.New();
        if (await store.AddAsync(body.Name!, made, cancellationToken) is not { } row)
        {
            return Problems.Conflict($"There are {ApiKeyStore.ActiveMax} keys already; revoke one first.");
        }

        keys.Forget();
        return Results.Created($"/v1/keys/{row.Id}", new ApiKeyMade(row.Id, row.Name, row.CreatedAt, made));
    }

    private static async Task<IResult> RevokeAsync(long id, ApiKeyStore store, ApiKeys keys, CancellationToken cancellationToken)
    {
        var result = await store.RevokeAsync(id, cancellationToken);
        keys.Forget();
        return result switch
        {
            RevokeResult.Revoked => Results.NoContent(),
            RevokeResult.LastKey => Problems.Conflict("This is the last key; make another one first."),
            _ => Problems.NotFound($"There is no active key {id}."),
        };
    }
}
