using GenericHttpEsp.Api;
using Microsoft.AspNetCore.Http.Features;

namespace GenericHttpEsp.Providers;

/// <summary><c>/v1/providers</c>.</summary>
internal static class ProvidersApi
{
    public const int BodyBytesMax = 512 * 1024;
    private const int ChangeAttemptsMax = 5;

    public static void MapProviders(this IEndpointRouteBuilder routes)
    {
        var providers = routes.MapGroup("/v1/providers").WithTags("Providers").WithBodyLimit(BodyBytesMax);
        providers.MapPost("", CreateAsync).WithIdempotency().Accepts<ProviderContract>("application/json").Produces<ProviderResource>(StatusCodes.Status201Created);
        providers.MapGet("", ListAsync).Produces<Page<ProviderSummary>>();
        providers.MapGet("{id:long}", ReadAsync).Produces<ProviderResource>();
        providers.MapPut("{id:long}", ChangeAsync).Accepts<ProviderContract>("application/json").Produces<ProviderResource>();
        providers.MapDelete("{id:long}", DeleteAsync).Produces(StatusCodes.Status204NoContent);
        providers.MapPost("{id:long}/archive", ArchiveAsync).Produces<ProviderResource>();
        providers.MapPost("{id:long}/rotate-callback", RotateAsync).WithIdempotency().Produces<ProviderResource>();
        providers.MapTrials();
    }

    /// <summary>404 for an id that names no provider.</summary>
    public static IResult NotFound(long id) => Problems.NotFound($"There is no provider {id}.");

    private static async Task<IResult> CreateAsync(
        HttpContext context, ProviderEditor editor, SecretVault vault, ServerAddresses addresses, CancellationToken cancellationToken)
    {
        var (body, problem) = await ApiBody.ReadAsync<ProviderContract>(context.Request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return problem!;
        }

        var edit = await editor.CreateAsync(body, cancellationToken);
        if (edit.Errors is { } errors)
        {
            return Problems.Invalid(errors);
        }

        return edit.Answer is { Result: ProviderResult.Done, Snapshot: { } made }
            ? Results.Created($"/v1/providers/{made.Id}", Resource(context, made, vault, addresses))
            : Problems.Unexpected();
    }

    private static async Task<IResult> ListAsync(HttpRequest request, ProviderIndex index, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        var status = request.Query["status"].ToString();
        return status is "" or ProviderState.Active or ProviderState.ArchivedStatus
            ? Results.Ok(Page.Of(await index.PageAsync(page, status, cancellationToken), page.Limit, static row => row.Id))
            : Problems.Invalid("status", "must be active or archived");
    }

    private static async Task<IResult> ReadAsync(long id, HttpContext context, ProviderEditor editor, SecretVault vault, ServerAddresses addresses) =>
        await editor.ReadAsync(id) is { } snapshot ? Results.Ok(Resource(context, snapshot, vault, addresses)) : NotFound(id);

    private static async Task<IResult> ChangeAsync(
        long id, HttpContext context, ProviderEditor editor, SecretVault vault, ServerAddresses addresses, CancellationToken cancellationToken)
    {
        var (body, nulls, problem) = await ProviderPutBody.ReadAsync(context.Request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return problem!;
        }

        // Secrets are merged with what is stored: when that changes meanwhile, once more, unless the client named the version it wants to change.
        for (var attempt = 0; attempt < ChangeAttemptsMax; attempt++)
        {
            if (await editor.ReadAsync(id) is not { } current)
            {
                return NotFound(id);
            }

            if (!ETags.TryMatch(context.Request, current.Revision, out var stale))
            {
                return stale;
            }

            var edit = await editor.ChangeAsync(current, body, nulls, cancellationToken);
            if (edit.Errors is { } errors)
            {
                return Problems.Invalid(errors);
            }

            if (edit.Answer!.Result != ProviderResult.Stale)
            {
                return Changed(id, edit.Answer, context, vault, addresses);
            }
        }

        return Problems.Busy(1, "Others change this provider all the time; try again.");
    }

    private static async Task<IResult> DeleteAsync(long id, HttpRequest request, ProviderEditor editor)
    {
        var (seen, problem) = await SeenAsync(id, request, editor);
        return problem ?? (await editor.DeleteAsync(id, seen)).Result switch
        {
            ProviderResult.Done => Results.NoContent(),
            ProviderResult.Used => Problems.Conflict($"Campaigns have used provider {id}, and their reports name it. Archive it: POST /v1/providers/{id}/archive."),
            ProviderResult.Stale => Stale(id),
            _ => NotFound(id),
        };
    }

    private static async Task<IResult> ArchiveAsync(long id, HttpContext context, ProviderEditor editor, SecretVault vault, ServerAddresses addresses)
    {
        var (seen, problem) = await SeenAsync(id, context.Request, editor);
        return problem ?? Changed(id, await editor.ArchiveAsync(id, seen), context, vault, addresses);
    }

    /// <summary>The revision that <c>If-Match</c> names, or why it does not; neither without it.</summary>
    private static async Task<(long? Seen, IResult? Problem)> SeenAsync(long id, HttpRequest request, ProviderEditor editor) =>
        request.Headers.IfMatch.Count == 0 ? (null, null)
        : await editor.ReadAsync(id) is not { } current ? (null, NotFound(id))
        : ETags.TryMatch(request, current.Revision, out var stale) ? (current.Revision, null) : (null, stale);

    private static IResult Stale(long id) => Problems.Stale($"Provider {id} was changed meanwhile; read it again.");

    private static async Task<IResult> RotateAsync(
        long id, HttpContext context, ProviderEditor editor, SecretVault vault, ServerAddresses addresses, CancellationToken cancellationToken)
    {
        var (body, problem) = (new RotateCallbackRequest(), (IResult?)null);
        // A body whose sender forgot to say that it is JSON must not be passed over: it may say revokeOthers.
        if (context.Request.ContentType is not null || context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            (body, problem) = await ApiBody.ReadAsync<RotateCallbackRequest>(context.Request, BodyBytesMax, cancellationToken);
        }

        if (body is null)
        {
            return problem!;
        }

        (var seen, problem) = await SeenAsync(id, context.Request, editor);
        return problem ?? Changed(id, await editor.RotateAsync(id, body.RevokeOthers, seen), context, vault, addresses);
    }

    private static IResult Changed(long id, ProviderAnswer answer, HttpContext context, SecretVault vault, ServerAddresses addresses) => answer.Result switch
    {
        ProviderResult.Done => Results.Ok(Resource(context, answer.Snapshot!, vault, addresses)),
        ProviderResult.Stale => Stale(id),
        ProviderResult.Full => Problems.Conflict(
            $"{ProviderChanges.TokensMax} callback URLs are valid already. Send {{\"revokeOthers\": true}} once the ESP uses the newest."),
        _ => NotFound(id),
    };

    private static ProviderResource Resource(HttpContext context, ProviderSnapshot snapshot, SecretVault vault, ServerAddresses addresses)
    {
        context.Response.Headers.ETag = ETags.Of(snapshot.Revision);
        return ProviderResource.Of(snapshot, vault, addresses.PublicUrl);
    }
}
