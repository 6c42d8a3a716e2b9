using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>Routes of campaigns.</summary>
internal static class CampaignsApi
{
    // Three texts of 256 KB each, and values.
    private const long BodyBytesMax = 2 * 1024 * 1024;

    public static void MapCampaigns(this IEndpointRouteBuilder routes)
    {
        var campaigns = routes.MapGroup("/v1/campaigns").WithTags("Campaigns");
        campaigns.MapPost("", CreateAsync).AddEndpointFilter<IdempotencyFilter>().WithBodyLimit(BodyBytesMax)
            .Accepts<CampaignContract>("application/json").Produces<CampaignAnswer>(StatusCodes.Status201Created);
        campaigns.MapGet("", ListAsync).Produces<Page<CampaignSummary>>();
        campaigns.MapGet("/{id:long}", GetAsync).Produces<CampaignAnswer>();
        campaigns.MapPut("/{id:long}", ReplaceAsync).WithBodyLimit(BodyBytesMax).Accepts<CampaignContract>("application/json").Produces<CampaignAnswer>();
        campaigns.MapDelete("/{id:long}", DeleteAsync).Produces(StatusCodes.Status204NoContent);
        campaigns.MapAction("start", CampaignAction.Start, static grain => grain.StartAsync());
        campaigns.MapAction("pause", CampaignAction.Pause, static grain => grain.PauseAsync(null));
        campaigns.MapAction("resume", CampaignAction.Resume, static grain => grain.ResumeAsync());
        campaigns.MapAction("stop", CampaignAction.Stop, static grain => grain.StopAsync());
        campaigns.MapAction("retry-failed", CampaignAction.Retry, static grain => grain.RetryFailedAsync());
        campaigns.MapUnknown();
        campaigns.MapReports();
        campaigns.MapGet("/{id:long}/stats", StatsAsync).Produces<CampaignStats>();
        campaigns.MapGet("/{id:long}/verify", VerifyAsync).Produces<AuditResult>();
        campaigns.MapGet("/{id:long}/progress", CampaignProgressApi.StreamAsync).Produces<CampaignStats>(contentType: "text/event-stream");
    }

    private static async Task<IResult> CreateAsync(HttpContext context, IGrainFactory grains, LedgerDatabase database, CancellationToken cancellationToken)
    {
        var (contract, problem) = await ReadAsync(context.Request, cancellationToken);
        if (contract is null)
        {
            return problem!;
        }

        var id = await Settings.NextAsync(database, "campaign", cancellationToken);
        var reply = await grains.GetGrain<ICampaignGrain>(id).CreateAsync(JsonSerializer.Serialize(contract, ApiJson.Options));
        return Answer(context, id, reply, created: true);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, CampaignIndex index, string? status, CancellationToken cancellationToken)
    {
        if (!PageRequest.TryBind(request, out var page, out var problem))
        {
            return problem;
        }

        if (status is { Length: > 0 } && !CampaignStatuses.All.Contains(status))
        {
            return Problems.Invalid("status", $"must be one of {string.Join(", ", CampaignStatuses.All)}");
        }

        return Results.Ok(Page.Of(await index.PageAsync(page, status, cancellationToken), page.Limit, static campaign => campaign.Id));
    }

    private static async Task<IResult> GetAsync(long id, HttpContext context, IGrainFactory grains) =>
        await grains.GetGrain<ICampaignGrain>(id).GetAsync() is { } campaign ? Answer(context, id, CampaignReply.Of(campaign)) : NotFound(id);

    private static async Task<IResult> ReplaceAsync(long id, HttpContext context, IGrainFactory grains, CancellationToken cancellationToken)
    {
        var (contract, problem) = await ReadAsync(context.Request, cancellationToken);
        if (contract is null)
        {
            return problem!;
        }

        var grain = grains.GetGrain<ICampaignGrain>(id);
        if (await grain.GetAsync() is not { } current)
        {
            return NotFound(id);
        }

        if (!ETags.TryMatch(context.Request, current.Revision, out var stale))
        {
            return stale;
        }

        long? revision = context.Request.Headers.IfMatch.Count > 0 ? current.Revision : null;
        return Answer(context, id, await grain.ReplaceAsync(JsonSerializer.Serialize(contract, ApiJson.Options), revision));
    }

    private static void MapAction(this IEndpointRouteBuilder campaigns, string name, CampaignAction action, Func<ICampaignGrain, Task<CampaignReply>> act) => campaigns.MapPost(
        $"/{{id:long}}/{name}",
        async (long id, HttpContext context, IGrainFactory grains) =>
        {
            var (reply, problem) = await ActAsync(context, grains, id, action, act);
            return problem ?? Answer(context, id, reply!);
        }).Produces<CampaignAnswer>();

    private static async Task<IResult> DeleteAsync(long id, HttpContext context, IGrainFactory grains)
    {
        var (reply, problem) = await ActAsync(context, grains, id, CampaignAction.Delete, static grain => grain.DeleteAsync());
        return problem ?? (reply!.Refusal == CampaignRefusal.None ? Results.NoContent() : Answer(context, id, reply));
    }

    /// <summary>With <c>If-Match</c> only while the campaign is as the caller has seen it.</summary>
    private static async Task<(CampaignReply? Reply, IResult? Problem)> ActAsync(
        HttpContext context, IGrainFactory grains, long id, CampaignAction action, Func<ICampaignGrain, Task<CampaignReply>> act)
    {
        var grain = grains.GetGrain<ICampaignGrain>(id);
        if (context.Request.Headers.IfMatch.Count == 0)
        {
            return (await act(grain), null);
        }

        return await grain.GetAsync() is not { } current ? (null, NotFound(id))
            : !ETags.TryMatch(context.Request, current.Revision, out var stale) ? (null, stale)
            : (await grain.ActIfAsync(action, current.Revision), null);
    }

    private static async Task<IResult> StatsAsync(long id, IGrainFactory grains, PartitionStore partitions, CancellationToken cancellationToken) =>
        await grains.GetGrain<ICampaignGrain>(id).GetAsync() is { } campaign
            ? Results.Ok(CampaignStatsRules.Of(campaign.Status, campaign.Reason, await partitions.CountsAsync(id, cancellationToken)))
            : NotFound(id);

    private static async Task<IResult> VerifyAsync(long id, IGrainFactory grains, LedgerAudit audit, CancellationToken cancellationToken) =>
        await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null ? NotFound(id) : Results.Ok(await audit.VerifyAsync(id, cancellationToken));

    private static async Task<(CampaignContract? Contract, IResult? Problem)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (contract, problem) = await ApiBody.ReadAsync<CampaignContract>(request, BodyBytesMax, cancellationToken);
        if (contract is null)
        {
            return (null, problem);
        }

        var errors = CampaignContractRules.Check(contract);
        return errors.Count == 0 ? (contract, null) : (null, Problems.Invalid(errors));
    }

    private static IResult Answer(HttpContext context, long id, CampaignReply reply, bool created = false)
    {
        switch (reply.Refusal)
        {
            case CampaignRefusal.NotFound:
                return NotFound(id);
            case CampaignRefusal.LifeCycle:
                return Problems.Conflict(reply.Detail!);
            case CampaignRefusal.Stale:
                return Problems.Stale(reply.Detail!);
            case CampaignRefusal.Invalid:
                return Problems.Invalid(reply.Errors!);
        }

        var contract = JsonSerializer.Deserialize<CampaignContract>(reply.Campaign!.Contract, ApiJson.Options)!;
        var answer = CampaignAnswer.Of(reply.Campaign, contract);
        context.Response.Headers.ETag = ETags.Of(reply.Campaign.Revision);
        return created ? Results.Created($"/v1/campaigns/{id}", answer) : Results.Ok(answer);
    }

    internal static IResult NotFound(long id) => Problems.NotFound($"There is no campaign {id}. GET /v1/campaigns lists them.");
}
