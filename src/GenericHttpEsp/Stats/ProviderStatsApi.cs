using System.Data.Common;
using System.Globalization;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace GenericHttpEsp.Stats;

/// <summary>What came back for one provider.</summary>
/// <param name="Accepted">Messages the ESP took, in these days' runs.</param>
/// <param name="LastHour">What this server recorded in the last hour.</param>
/// <param name="Days">By the UTC date of the run, newest first; at most 90 days with runs.</param>
public sealed record ProviderStats(long ProviderId, long Accepted, double BounceRate, double SpamRate, EventTotals LastHour, IReadOnlyList<ProviderDay> Days);

/// <summary>One day's runs.</summary>
/// <param name="Date">yyyy-mm-dd.</param>
public sealed record ProviderDay(string Date, long Accepted, EventTotals Events);

/// <summary>Events counted; <c>clickedUnique</c> counts messages.</summary>
public sealed record EventTotals(long Delivered, long HardBounce, long SoftBounce, long Spam, long Unsubscribed, long Clicked, long ClickedUnique)
{
    internal static EventTotals Of(EventCounts counts) => new(
        counts.Delivered, counts.HardBounce, counts.SoftBounce, counts.Spam, counts.Unsubscribed, counts.Clicked, counts.ClickedUnique);
}

/// <summary><c>GET /v1/providers/{id}/stats</c>.</summary>
internal static class ProviderStatsApi
{
    private const int DaysMax = 90;

    public static void MapProviderStats(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/providers/{id:long}/stats", ReadAsync).WithTags("Stats").Produces<ProviderStats>();

    private static async Task<IResult> ReadAsync(
        long id, LedgerDatabase database, GrainStates states, ProviderRates rates, IOptions<ClusterOptions> cluster, CancellationToken cancellationToken)
    {
        if (!await states.HasAsync(cluster.Value.ServiceId, "provider", id, cancellationToken))
        {
            return Problems.NotFound($"There is no provider {id}.");
        }

        var days = await database.ReadAsync(session => DaysAsync(session, id), cancellationToken);
        var accepted = days.Sum(static day => day.Accepted);
        var of = Math.Max(accepted, 1.0);
        return Results.Ok(new ProviderStats(
            id,
            accepted,
            Math.Round(days.Sum(static day => day.Events.HardBounce) / of, 6),
            Math.Round(days.Sum(static day => day.Events.Spam) / of, 6),
            EventTotals.Of(rates.LastHour(id)),
            days));
    }

    private static Task<List<ProviderDay>> DaysAsync(LedgerSession session, long id) => session.QueryAsync(
        $"""
        select run_date, cast(sum(coalesce(a.accepted, 0)) as bigint), {string.Join(", ", EventCounts.Columns.Select(static column => $"cast(sum(e.{column}) as bigint)"))}
        from (select * from run_events where provider_id = @id order by run_date desc limit 10000) e
        left join (select campaign_id, run, sum(accepted) as accepted from partitions
          where campaign_id in (select campaign_id from run_events where provider_id = @id) group by campaign_id, run) a
          on a.campaign_id = e.campaign_id and a.run = e.run
        group by run_date order by run_date desc limit {DaysMax}
        """,
        Read,
        ("@id", id));

    private static ProviderDay Read(DbDataReader row)
    {
        var date = row.GetInt64(0);
        return new ProviderDay(
            string.Create(CultureInfo.InvariantCulture, $"{date / 10000:0000}-{date / 100 % 100:00}-{date % 100:00}"),
            row.GetInt64(1),
            EventTotals.Of(EventStore.ReadCounts(row, 2)));
    }
}
