using System.Text.Json;
using System.Threading.Channels;
using GenericHttpEsp.Api;
using Orleans.Streams;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// A campaign's progress as server-sent events (HTML standard, 9.2): one <c>stats</c> event at once, one for each change, until the campaign is over.
/// </summary>
internal static class CampaignProgressApi
{
    // A slow reader sees the latest state, not every one.
    private const int PendingMax = 4;
    private static readonly TimeSpan CommentEvery = TimeSpan.FromSeconds(15);

    public static async Task<IResult> StreamAsync(
        long id, HttpContext context, IGrainFactory grains, IClusterClient cluster, PartitionStore partitions, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        if (await grains.GetGrain<ICampaignGrain>(id).GetAsync() is null)
        {
            return Problems.NotFound($"There is no campaign {id}. GET /v1/campaigns lists them.");
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var pending = Channel.CreateBounded<CampaignStats>(new BoundedChannelOptions(PendingMax) { FullMode = BoundedChannelFullMode.DropOldest });
        var stream = cluster.GetStreamProvider("progress").GetStream<CampaignProgress>("campaigns", id);
        var subscription = await stream.SubscribeAsync((progress, _) =>
        {
            pending.Writer.TryWrite(progress.Stats);
            return Task.CompletedTask;
        });
        try
        {
            // Read after the subscription, so that no change falls in between.
            var campaign = (await grains.GetGrain<ICampaignGrain>(id).GetAsync())!;
            pending.Writer.TryWrite(CampaignStatsRules.Of(campaign.Status, campaign.Reason, await partitions.CountsAsync(id, stop.Token)));
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            await WriteAsync(context.Response, pending.Reader, time, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The watcher went away, or the server stops.
        }
        finally
        {
            await subscription.UnsubscribeAsync();
        }

        return Results.Empty;
    }

    private static async Task WriteAsync(HttpResponse response, ChannelReader<CampaignStats> stats, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var quiet = new CancellationTokenSource(CommentEvery, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, cancellationToken);
            try
            {
                var next = await stats.ReadAsync(either.Token);
                await response.WriteAsync($"event: stats\ndata: {JsonSerializer.Serialize(next, ApiJson.Options)}\n\n", cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
                if (next.Status is CampaignStatuses.Completed or CampaignStatuses.Stopped or CampaignStatuses.Failed)
                {
                    return;
                }
            }
            catch (OperationCanceledException) when (quiet.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // Proxies close connections on which nothing is said.
                await response.WriteAsync(": still here\n\n", cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
            }
        }
    }
}
