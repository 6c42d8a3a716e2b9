using GenericHttpEsp.Api;
using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Callbacks;

/// <summary>
/// <c>/v1/providers/{id}/quarantine</c>: events whose meta nobody signed. <c>GET</c> lists them, <c>POST .../replay</c> takes them for true (a page at a
/// time), <c>DELETE</c> throws them away. They go by themselves after <c>Retention:QuarantineDays</c>.
/// </summary>
internal static class QuarantineApi
{
    public static void MapQuarantine(this IEndpointRouteBuilder routes)
    {
        var quarantine = routes.MapGroup("/v1/providers/{id:long}/quarantine").WithTags("Callbacks");
        quarantine.MapGet("", ListAsync).Produces<Page<QuarantineItem>>();
        quarantine.MapPost("/replay", ReplayAsync).Produces<QuarantineReplay>();
        quarantine.MapDelete("", ClearAsync).Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(long id, HttpRequest request, QuarantineStore store, ProviderCatalog providers, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        if (!await providers.ExistsAsync(id, cancellationToken))
        {
            return ProvidersApi.NotFound(id);
        }

        var rows = Page.Of(await store.PageAsync(id, page.After, page.Limit, cancellationToken), page.Limit, static row => row.Id);
        return Results.Ok(new Page<QuarantineItem>([.. rows.Items.Select(static row => QuarantineItem.Of(row, null))], rows.NextCursor));
    }

    private static async Task<IResult> ReplayAsync(
        long id, HttpRequest request, QuarantineStore store, CallbackIntake intake, ProviderCatalog providers, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        if (!await providers.ExistsAsync(id, cancellationToken))
        {
            return ProvidersApi.NotFound(id);
        }

        var rows = Page.Of(await store.PageAsync(id, page.After, page.Limit, cancellationToken), page.Limit, static row => row.Id);
        var verdicts = await intake.TakeAsync([.. rows.Items.Select(static row => row.Event)], id, believe: true, cancellationToken);
        var judged = rows.Items.Zip(verdicts).ToArray();
        // Removed after they are durable: a crash in between replays them once more, which changes nothing.
        await store.RemoveAsync([.. judged.Where(static pair => pair.Second.Error is null).Select(static pair => pair.First.Id)], cancellationToken);
        QuarantineItem[] left = [.. judged.Where(static pair => pair.Second.Error is not null).Select(static pair => QuarantineItem.Of(pair.First, pair.Second.Error))];
        return Results.Ok(new QuarantineReplay(judged.Length - left.Length, left, rows.NextCursor));
    }

    private static async Task<IResult> ClearAsync(long id, QuarantineStore store, ProviderCatalog providers, CancellationToken cancellationToken)
    {
        if (!await providers.ExistsAsync(id, cancellationToken))
        {
            return ProvidersApi.NotFound(id);
        }

        await store.ClearAsync(id, cancellationToken);
        return Results.NoContent();
    }
}

/// <summary>An event in quarantine.</summary>
/// <param name="Error">Why a replay left it there.</param>
public sealed record QuarantineItem(
    long Id, DateTimeOffset ReceivedAt, string? Type, string? Email, string? Meta, string? Description, DateTimeOffset? Timestamp, string? Error)
{
    internal static QuarantineItem Of(QuarantinedEvent row, string? error) => new(
        row.Id, DateTimeOffset.FromUnixTimeMilliseconds(row.ReceivedAt), row.Event.Type, row.Event.Email, row.Event.Meta, row.Event.Description,
        row.Event.Timestamp == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(row.Event.Timestamp), error);
}

/// <summary>What a replay did.</summary>
/// <param name="Replayed">Events that are recorded now and have left the quarantine.</param>
/// <param name="Left">Those that name no message of ours.</param>
/// <param name="NextCursor">For the next page; null at the end.</param>
public sealed record QuarantineReplay(int Replayed, IReadOnlyList<QuarantineItem> Left, string? NextCursor);
