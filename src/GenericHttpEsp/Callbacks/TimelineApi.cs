using System.Buffers.Text;
using System.Globalization;
using System.Text;
using GenericHttpEsp.Api;
using GenericHttpEsp.Recipients;

namespace GenericHttpEsp.Callbacks;

/// <summary><c>GET /v1/recipients/{email}/timeline</c>: everything sent, skipped (and why) and received for one address, newest run first.</summary>
internal static class TimelineApi
{
    public static void MapTimeline(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/recipients/{email}/timeline", ReadAsync).WithTags("Recipients").Produces<TimelinePage>();

    private static async Task<IResult> ReadAsync(
        HttpContext context, RecipientKey keys, ProfileStore profiles, Timeline timeline, CancellationToken cancellationToken)
    {
        if (EmailInPath.Read(context, out var reason) is not { } email)
        {
            return Problems.Invalid("email", reason!);
        }

        var cursor = context.Request.Query["cursor"].ToString();
        var before = RunPosition.Newest;
        if (cursor.Length > 0 && !TryRead(cursor, out before))
        {
            return Problems.Invalid("cursor", "is not a cursor of this list; take nextCursor from the page before");
        }

        context.Request.Query = new QueryCollection(context.Request.Query.Where(static member => member.Key != "cursor").ToDictionary());
        if (!PageRequest.TryBind(context.Request, out var page, out var problem))
        {
            return problem;
        }

        if (await profiles.FindAsync(keys.Of(email), cancellationToken) is not { } profile)
        {
            return Problems.NotFound("There is no recipient with this address.");
        }

        var (entries, next) = await timeline.ReadAsync(profile.Row.Id, before, page.Limit, cancellationToken);
        var subscription = new SubscriptionAnswer(profile.Subscription.Status, profile.Subscription.Reason, profile.Subscription.Since);
        return Results.Ok(new TimelinePage(entries, next is { } position ? Write(position) : null, subscription));
    }

    private static string Write(RunPosition position) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{position.StartedAt}.{position.Campaign}.{position.Run}")));

    private static bool TryRead(string cursor, out RunPosition position)
    {
        position = default;
        if (cursor.Length > 96 || !Base64Url.IsValid(cursor))
        {
            return false;
        }

        var parts = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(cursor)).Split('.');
        if (parts.Length != 3
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var started)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var campaign)
            || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var run))
        {
            return false;
        }

        position = new RunPosition(started, campaign, run);
        return true;
    }
}

/// <summary>A page of a timeline. A page ends with a whole run, so it may be somewhat longer than the limit.</summary>
/// <param name="Subscription">As it stands now: why mail is forbidden, and since when.</param>
public sealed record TimelinePage(IReadOnlyList<TimelineEntry> Items, string? NextCursor, SubscriptionAnswer Subscription);
