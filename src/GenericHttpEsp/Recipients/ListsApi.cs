using GenericHttpEsp.Api;

namespace GenericHttpEsp.Recipients;

/// <summary><c>/v1/lists</c>. A list is also made by the first recipient that is put on it.</summary>
internal static class ListsApi
{
    private const int BodyBytesMax = 4096;

    public static void MapLists(this IEndpointRouteBuilder routes)
    {
        var lists = routes.MapGroup("/v1/lists").WithTags("Lists");
        lists.MapGet("", ListAsync).Produces<Page<ListAnswer>>();
        lists.MapPost("", AddAsync).WithIdempotency().Accepts<ListRequest>("application/json")
            .Produces<ListAnswer>().Produces<ListAnswer>(StatusCodes.Status201Created);
        lists.MapDelete("{name}", DeleteAsync).Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, ListStore lists, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        var rows = Page.Of(await lists.PageAsync(page.After, page.Limit + 1, cancellationToken), page.Limit, static list => list.Id);
        return Results.Ok(new Page<ListAnswer>([.. rows.Items.Select(Answer)], rows.NextCursor));
    }

    private static async Task<IResult> AddAsync(HttpRequest request, ListStore lists, CancellationToken cancellationToken)
    {
        var (body, problem) = await ApiBody.ReadAsync<ListRequest>(request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return problem!;
        }

        var (list, created) = await lists.AddAsync(body.Name, cancellationToken);
        return created ? Results.Created((string?)null, Answer(list)) : Results.Ok(Answer(list));
    }

    private static async Task<IResult> DeleteAsync(string name, ListStore lists, CancellationToken cancellationToken) =>
        // Routing leaves an encoded slash as it is.
        await lists.DeleteAsync(name.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase), cancellationToken)
            ? Results.NoContent()
            : Problems.NotFound("There is no list with this name.");

    private static ListAnswer Answer(ListRow list) => new(list.Name, list.CreatedAt);
}
