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
    // Messages of the stream may be lost, the last one too: after this without one the truth is read. Proxies close connections on which nothing is said for longer.
    private static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(3);

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
            pending.Writer.TryWrite(await ReadAsync(id, grains, partitions, stop.Token));
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            await WriteAsync(context.Response, pending.Reader, () => ReadAsync(id, grains, partitions, stop.Token), time, stop.Token);
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

    private static async Task<CampaignStats> ReadAsync(long id, IGrainFactory grains, PartitionStore partitions, CancellationToken cancellationToken)
    {
        var campaign = await grains.GetGrain<ICampaignGrain>(id).GetAsync();
        return CampaignStatsRules.Of(
            campaign?.Status ?? CampaignStatuses.Stopped, campaign?.Reason, await partitions.CountsAsync(id, cancellationToken));
    }

    private static async Task WriteAsync(
        HttpResponse response, ChannelReader<CampaignStats> stats, Func<Task<CampaignStats>> read, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var said = ""; ;)
        {
            var next = await NextAsync(stats, time, cancellationToken) ?? await read();
            var json = JsonSerializer.Serialize(next, ApiJson.Options);
            await response.WriteAsync(json == said ? ": still here\n\n" : $"event: stats\ndata: {json}\n\n", cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
            if (next.Status is CampaignStatuses.Completed or CampaignStatuses.Stopped or CampaignStatuses.Failed)
            {
                return;
            }

            said = json;
        }
    }

    /// <summary>Null when nothing came for a while.</summary>
    private static async Task<CampaignStats?> NextAsync(ChannelReader<CampaignStats> stats, TimeProvider time, CancellationToken cancellationToken)
    {
        using var quiet = new CancellationTokenSource(QuietMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, cancellationToken);
        try
        {
            return await stats.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
