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
        campaigns.MapPost("/{id:long}/start", static (long id, HttpContext context, IGrainFactory grains) => ActAsync(context, grains, id, static grain => grain.StartAsync()))
            .Produces<CampaignAnswer>();
        campaigns.MapPost("/{id:long}/pause", static (long id, HttpContext context, IGrainFactory grains) => ActAsync(context, grains, id, static grain => grain.PauseAsync(null)))
            .Produces<CampaignAnswer>();
        campaigns.MapPost("/{id:long}/resume", static (long id, HttpContext context, IGrainFactory grains) => ActAsync(context, grains, id, static grain => grain.ResumeAsync()))
            .Produces<CampaignAnswer>();
        campaigns.MapPost("/{id:long}/stop", static (long id, HttpContext context, IGrainFactory grains) => ActAsync(context, grains, id, static grain => grain.StopAsync()))
            .Produces<CampaignAnswer>();
        campaigns.MapPost("/{id:long}/retry-failed", static (long id, HttpContext context, IGrainFactory grains) => ActAsync(context, grains, id, static grain => grain.RetryFailedAsync()))
            .Produces<CampaignAnswer>();
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

    private static async Task<IResult> DeleteAsync(long id, HttpContext context, IGrainFactory grains)
    {
        var reply = await grains.GetGrain<ICampaignGrain>(id).DeleteAsync();
        return reply.Refusal == CampaignRefusal.None ? Results.NoContent() : Answer(context, id, reply);
    }

    private static async Task<IResult> ActAsync(HttpContext context, IGrainFactory grains, long id, Func<ICampaignGrain, Task<CampaignReply>> act) =>
        Answer(context, id, await act(grains.GetGrain<ICampaignGrain>(id)));

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
