using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.Campaigns;

/// <summary>Body of <c>POST /v1/campaigns/{id}/unknown/resolve</c>.</summary>
public sealed record ResolveContract
{
    /// <summary>An array of batch ids (at most 1000), or <c>"all"</c>.</summary>
    [Required]
    public JsonElement? BatchIds { get; init; }

    /// <summary>accepted: the ESP took them. notSent: it did not; they count as failed, and retry-failed sends them.</summary>
    [Required, AllowedValues("accepted", "notSent", ErrorMessage = "Write \"accepted\" or \"notSent\".")]
    public string? Outcome { get; init; }
}

/// <param name="Resolved">Records that were unknown and are settled now.</param>
public sealed record ResolveAnswer(int Resolved);

/// <summary>Routes for requests whose answers are lost.</summary>
internal static class UnknownApi
{
    private const long BodyBytesMax = 64 * 1024;
    private const int IdsMax = 1000;

    public static void MapUnknown(this RouteGroupBuilder campaigns)
    {
        campaigns.MapGet("/{id:long}/unknown", ListAsync).Produces<Page<UnknownBatch>>();
        campaigns.MapPost("/{id:long}/unknown/resolve", ResolveAsync).WithBodyLimit(BodyBytesMax)
            .Accepts<ResolveContract>("application/json").Produces<ResolveAnswer>();
    }

    private static async Task<IResult> ListAsync(long id, HttpRequest request, IGrainFactory grains, UnknownStore unknown, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        return await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null
            ? CampaignsApi.NotFound(id)
            : Results.Ok(Page.Of(await unknown.PageAsync(id, page.After, page.Limit + 1, cancellationToken), page.Limit, static batch => batch.BatchId));
    }

    private static async Task<IResult> ResolveAsync(long id, HttpRequest request, IGrainFactory grains, UnknownStore unknown, CancellationToken cancellationToken)
    {
        var (contract, problem) = await ApiBody.ReadAsync<ResolveContract>(request, BodyBytesMax, cancellationToken);
        if (contract is null)
        {
            return problem!;
        }

        if (!TryRead(contract.BatchIds!.Value, out var ids))
        {
            return Problems.Invalid("/batchIds", $"Write \"all\", or an array of 1 to {IdsMax} batch ids from GET /v1/campaigns/{id}/unknown.");
        }

        if (await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null)
        {
            return CampaignsApi.NotFound(id);
        }

        var news = contract.Outcome == "accepted" ? RecordOutcome.Accepted : RecordOutcome.Failed;
        return Results.Ok(new ResolveAnswer(await unknown.ResolveAsync(id, ids, news, cancellationToken)));
    }

    private static bool TryRead(JsonElement batchIds, out long[]? ids)
    {
        ids = null;
        if (batchIds.ValueKind == JsonValueKind.String)
        {
            return batchIds.GetString() == "all";
        }

        if (batchIds.ValueKind != JsonValueKind.Array || batchIds.GetArrayLength() is 0 or > IdsMax)
        {
            return false;
        }

        var read = new List<long>();
        foreach (var item in batchIds.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var value))
            {
                return false;
            }

            read.Add(value);
        }

        ids = [.. read];
        return true;
    }
}
