using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary><c>/v1/recipients</c>.</summary>
internal static class RecipientsApi
{
    // Attributes of 64 KB, every character escaped as \uXXXX, and the rest.
    private const int BodyBytesMax = 512 * 1024;
    private const int SubscriptionBytesMax = 4096;

    public static void MapRecipientRoutes(this IEndpointRouteBuilder routes)
    {
        var recipients = routes.MapGroup("/v1/recipients").WithTags("Recipients");
        recipients.MapGet("", ListAsync).Produces<Page<RecipientAnswer>>();
        recipients.MapGet("{email}", GetAsync).Produces<RecipientAnswer>();
        recipients.MapPut("{email}", PutAsync).WithBodyLimit(BodyBytesMax).Accepts<RecipientRequest>("application/json")
            .Produces<RecipientAnswer>().Produces<RecipientAnswer>(StatusCodes.Status201Created);
        recipients.MapDelete("{email}", EraseAsync).Produces(StatusCodes.Status204NoContent);
        recipients.MapPut("{email}/subscription", SubscribeAsync).Accepts<SubscriptionRequest>("application/json").Produces<SubscriptionAnswer>();
    }

    private static async Task<IResult> ListAsync(HttpRequest request, ProfileStore profiles, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        var list = request.Query["list"].ToString();
        if (list.Length > 0 && RecipientLimits.ListNameProblem(list) is { } unfit)
        {
            return Problems.Invalid("list", unfit);
        }

        var rows = await profiles.PageAsync(page.After, page.Limit, list.Length == 0 ? null : list, cancellationToken);
        var paged = Page.Of(rows, page.Limit, static profile => profile.Row.Id);
        return Results.Ok(new Page<RecipientAnswer>([.. paged.Items.Select(Answer)], paged.NextCursor));
    }

    private static async Task<IResult> GetAsync(HttpContext context, RecipientKey keys, ProfileStore profiles, CancellationToken cancellationToken)
    {
        if (EmailInPath.Read(context, out var reason) is not { } email)
        {
            return Problems.Invalid("email", reason!);
        }

        return await profiles.FindAsync(keys.Of(email), cancellationToken) is { } profile
            ? Results.Ok(Answer(profile))
            : Problems.NotFound("There is no recipient with this address.");
    }

    private static async Task<IResult> PutAsync(HttpContext context, RecipientKey keys, ProfileStore profiles, CancellationToken cancellationToken)
    {
        if (EmailInPath.Read(context, out var reason) is not { } email)
        {
            return Problems.Invalid("email", reason!);
        }

        var (body, problem) = await ApiBody.JsonBytesAsync(context.Request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return problem!;
        }

        // The same reader as an import's, so that both take and refuse the same.
        var errors = new List<RowError>();
        if (RecipientJson.Read(body, email, errors, out _) is not { } row)
        {
            return errors is [{ Pointer: "" } unreadable]
                ? Problems.Unreadable(unreadable.Message)
                : Problems.Invalid(errors.GroupBy(static error => error.Pointer)
                    .ToDictionary(static group => group.Key, static group => group.Select(static error => error.Message).ToArray()));
        }

        var key = keys.Of(email);
        var upsert = new ProfileUpsert(key, row.Email.Given, row.Attributes, row.TimeZone, row.Lists);
        var outcome = (await profiles.UpsertAsync([upsert], WriteKind.Event, replaceLists: true, cancellationToken))[0];
        if (outcome == UpsertOutcome.TooLarge)
        {
            return Problems.Invalid("/attributes", "Together with what is stored the attributes are too large.");
        }

        // Erased again meanwhile: then there is nothing to show.
        return await profiles.FindAsync(key, cancellationToken) is not { } profile ? Problems.NotFound("The recipient was erased meanwhile.")
            : outcome == UpsertOutcome.Inserted ? Results.Created((string?)null, Answer(profile)) : Results.Ok(Answer(profile));
    }

    private static async Task<IResult> EraseAsync(HttpContext context, RecipientKey keys, AcknowledgedChanges changes, CancellationToken cancellationToken)
    {
        if (EmailInPath.Read(context, out var reason) is not { } email)
        {
            return Problems.Invalid("email", reason!);
        }

        await changes.EraseAsync(keys.Of(email), cancellationToken);
        return Results.NoContent();
    }

    private static async Task<IResult> SubscribeAsync(HttpContext context, RecipientKey keys, AcknowledgedChanges changes, CancellationToken cancellationToken)
    {
        if (EmailInPath.Read(context, out var reason) is not { } email)
        {
            return Problems.Invalid("email", reason!);
        }

        var (body, problem) = await ApiBody.ReadAsync<SubscriptionRequest>(context.Request, SubscriptionBytesMax, cancellationToken);
        return body is null
            ? problem!
            : Results.Ok(Answer(await changes.SetByHandAsync(keys.Of(email), body.Status, body.Reason, cancellationToken)));
    }

    private static RecipientAnswer Answer(Profile profile) => new(
        profile.Row.Email, JsonElement.Parse(profile.Row.AttributesUtf8), profile.Lists, profile.Row.TimeZone, Answer(profile.Subscription));

    private static SubscriptionAnswer Answer(SubscriptionSnapshot subscription) => new(subscription.Status, subscription.Reason, subscription.Since);
}
