using System.Runtime.CompilerServices;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Stats;

/// <summary>
/// <c>GET /v1/events/export?campaignId=</c>: the specification's system events, streamed. One recorded event gives one line, a hard bounce two.
/// </summary>
internal static class EventsExportApi
{
    private static readonly string[] Names =
        ["event", "campaignId", "run", "runDate", "recipientId", "email", "type", "property", "value", "timestamp", "receivedAt"];

    public static void MapEventsExport(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/events/export", Send).WithTags("Stats").Produces(StatusCodes.Status200OK, contentType: "application/x-ndjson", additionalContentTypes: "text/csv");

    private static IResult Send(HttpRequest request, EventReader events, long? campaignId, CancellationToken cancellationToken) =>
        campaignId <= 0 ? Problems.Invalid("campaignId", "must be a campaign's id") : Export.Of(request, Names, PagesAsync(events, campaignId ?? 0, cancellationToken));

    private static async IAsyncEnumerable<IReadOnlyList<object?[]>> PagesAsync(
        EventReader events, long campaign, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var start in campaign == 0 ? [default] : await events.RunsAsync(campaign, cancellationToken))
        {
            List<RecordedEvent> page;
            var after = start;
            do
            {
                page = campaign == 0 ? await events.PageAsync(after, cancellationToken) : await events.PageOfRunAsync(after, cancellationToken);
                yield return [.. page.SelectMany(Lines)];
                after = page.Count == 0 ? after : page[^1].Key;
            }
            while (page.Count == EventReader.PageMax);
        }
    }

    private static IEnumerable<object?[]> Lines(RecordedEvent one)
    {
        var (message, type) = (one.Key.Message, EventTypes.Name(one.Key.Type));
        return SystemEvents.Of(one.Key.Type).Select(system => (object?[])
        [
            system.Name, message.Campaign, message.Run, message.RunDate, message.Recipient, one.Email, type, system.Property ?? "Description",
            one.Description.Length > 0 ? one.Description : system.Property is null ? null : type,
            one.OccurredAt == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(one.OccurredAt), DateTimeOffset.FromUnixTimeMilliseconds(one.ReceivedAt),
        ]);
    }
}
