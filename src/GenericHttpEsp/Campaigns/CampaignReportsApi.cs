using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using GenericHttpEsp.Api;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>Who got what, and why not: errors by reason, outcomes person by person, and the same as a file.</summary>
internal static class CampaignReportsApi
{
    private const int ExportPage = 500;
    private static readonly string[] Names = ["recipientId", "email", "run", "outcome", "reason", "batchId", "attempts"];

    public static void MapReports(this RouteGroupBuilder campaigns)
    {
        campaigns.MapGet("/{id:long}/errors", ErrorsAsync).Produces<CampaignErrors>();
        campaigns.MapGet("/{id:long}/recipients", RecipientsAsync).Produces<Page<RecordAnswer>>();
        campaigns.MapGet("/{id:long}/export", ExportAsync)
            .Produces(StatusCodes.Status200OK, contentType: "application/x-ndjson", additionalContentTypes: "text/csv");
    }

    private static async Task<IResult> ErrorsAsync(long id, IGrainFactory grains, ErrorStore errors, CancellationToken cancellationToken) =>
        await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null ? CampaignsApi.NotFound(id) : Results.Ok(await errors.ReadAsync(id, cancellationToken));

    private static async Task<IResult> RecipientsAsync(
        long id, HttpRequest request, IGrainFactory grains, RecordStore records, LedgerDatabase database, CancellationToken cancellationToken)
    {
        // The cursor is of another kind than the lists': it names a run and a recipient.
        var cursor = request.Query["cursor"].ToString();
        var (run, after) = (1, 0L);
        if (cursor.Length > 0 && !TryRead(cursor, out run, out after))
        {
            return Problems.Invalid("cursor", "is not a cursor of this list; take nextCursor from the page before");
        }

        request.Query = new QueryCollection(request.Query.Where(static member => member.Key != "cursor").ToDictionary());
        if (!PageRequest.TryBind(request, out var page, out var problem) || !TryFilter(request, out var wanted, out problem))
        {
            return problem;
        }

        if (await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null)
        {
            return CampaignsApi.NotFound(id);
        }

        var places = await records.PageAsync(id, (run, after), wanted, page.Limit, cancellationToken);
        var next = places.Next is { } from ? Base64Url.EncodeToString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{from.Run}.{from.Id}"))) : null;
        return Results.Ok(new Page<RecordAnswer>(await AnswersAsync(database, places.Items, cancellationToken), next));
    }

    private static async Task<IResult> ExportAsync(
        long id, HttpRequest request, IGrainFactory grains, RecordStore records, LedgerDatabase database, CancellationToken cancellationToken) =>
        await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null ? CampaignsApi.NotFound(id)
        : !TryFilter(request, out var wanted, out var problem) ? problem
        : Export.Of(request, Names, PagesAsync(id, wanted, records, database, cancellationToken));

    private static async IAsyncEnumerable<IReadOnlyList<object?[]>> PagesAsync(
        long id, RecordOutcome[] wanted, RecordStore records, LedgerDatabase database, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (int Run, long Id)? after = (1, 0);
        while (after is { } from)
        {
            var page = await records.PageAsync(id, from, wanted, ExportPage, cancellationToken);
            var answers = await AnswersAsync(database, page.Items, cancellationToken);
            yield return [.. answers.Select(static one => (object?[])[one.RecipientId, one.Email, one.Run, one.Outcome, one.Reason, one.BatchId, one.Attempts])];
            after = page.Next;
        }
    }

    private static async Task<List<RecordAnswer>> AnswersAsync(LedgerDatabase database, IReadOnlyList<RecordPlace> places, CancellationToken cancellationToken)
    {
        var emails = await database.ReadAsync(
            session => RecordEmails.OfAsync(session, [.. places.Select(static place => place.RecipientId).Distinct()]), cancellationToken);
        return [.. places.Select(place => new RecordAnswer(
            place.RecipientId, emails.GetValueOrDefault(place.RecipientId), place.Run, RecordWords.Of(place), RecordWords.Reason(place),
            place.BatchId == 0 ? null : place.BatchId, place.Attempts))];
    }

    private static bool TryFilter(HttpRequest request, out RecordOutcome[] wanted, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out IResult? problem)
    {
        var word = request.Query["outcome"].ToString();
        wanted = word.Length == 0 ? [] : RecordWords.Filters.GetValueOrDefault(word, []);
        problem = word.Length > 0 && wanted.Length == 0 ? Problems.Invalid("outcome", $"must be one of {string.Join(", ", RecordWords.Filters.Keys)}") : null;
        return problem is null;
    }

    private static bool TryRead(string cursor, out int run, out long id)
    {
        (run, id) = (0, 0);
        if (cursor.Length > 64 || !Base64Url.IsValid(cursor))
        {
            return false;
        }

        var parts = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(cursor)).Split('.');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out run)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
