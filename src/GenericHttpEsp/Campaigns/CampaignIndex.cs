using System.Globalization;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace GenericHttpEsp.Campaigns;

/// <summary>A campaign in a list.</summary>
public sealed record CampaignSummary(long Id, string Name, string Status, long ProviderId, int Run, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt);

/// <summary>Lists campaigns from the rows of their grains.</summary>
internal sealed class CampaignIndex(GrainStates states, IOptions<ClusterOptions> cluster)
{
    /// <param name="page">Ids above its cursor.</param>
    /// <param name="status">Only these; null for all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<List<CampaignSummary>> PageAsync(PageRequest page, string? status, CancellationToken cancellationToken) => states.ReadAsync(
        session => session.QueryAsync(
            $"""
            select GrainIdN1, Name, Status, {GrainStates.Text(session, "ProviderId")}, {GrainStates.Text(session, "Run")},
              {GrainStates.Text(session, "CreatedAt")}, {GrainStates.Text(session, "StartedAt")}
            from GrainState
            where ServiceId = @service and GrainTypeString = 'campaign' and GrainIdN0 = 0 and GrainIdN1 > @after and Name is not null
              and (@status = '' or Status = @status)
            order by GrainIdN1 limit @limit
            """,
            static row => new CampaignSummary(
                row.GetInt64(0),
                row.GetString(1),
                row.GetString(2),
                long.Parse(row.GetString(3), CultureInfo.InvariantCulture),
                int.Parse(row.GetString(4), CultureInfo.InvariantCulture),
                DateTimeOffset.Parse(row.GetString(5), CultureInfo.InvariantCulture),
                row.IsDBNull(6) ? null : DateTimeOffset.Parse(row.GetString(6), CultureInfo.InvariantCulture)),
            ("@service", cluster.Value.ServiceId), ("@after", page.After), ("@status", status ?? ""), ("@limit", (long)page.Limit + 1)),
        cancellationToken);
}
