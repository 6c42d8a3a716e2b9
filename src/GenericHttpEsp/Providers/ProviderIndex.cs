using System.Globalization;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace GenericHttpEsp.Providers;

/// <summary>Lists and finds providers from the rows of their grains.</summary>
internal sealed class ProviderIndex(GrainStates states, IOptions<ClusterOptions> cluster)
{
    /// <param name="page">Ids above its cursor.</param>
    /// <param name="status">active or archived; empty for both.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<List<ProviderSummary>> PageAsync(PageRequest page, string status, CancellationToken cancellationToken) => states.ReadAsync(
        session => session.QueryAsync(
            $"""
            select GrainIdN1, Name, Status, {GrainStates.Text(session, "Version")}, {GrainStates.Text(session, "Revision")},
              {GrainStates.Text(session, "Contract", "RequestType")}, {GrainStates.Text(session, "Contract", "Endpoint")},
              {GrainStates.Text(session, "Contract", "Batch", "Size")}, {GrainStates.Text(session, "CreatedAt")}, {GrainStates.Text(session, "UpdatedAt")}
            from GrainState
            where ServiceId = @service and GrainTypeString = 'provider' and GrainIdN0 = 0 and GrainIdN1 > @after and Name is not null
              and (@status = '' or Status = @status)
            order by GrainIdN1 limit @limit
            """,
            static row => new ProviderSummary(
                row.GetInt64(0),
                row.GetString(1),
                row.GetString(2),
                (int)Number(row.GetString(3)),
                Number(row.GetString(4)),
                row.IsDBNull(5) ? null : row.GetString(5),
                row.IsDBNull(6) ? null : row.GetString(6),
                row.IsDBNull(7) ? null : (int)Number(row.GetString(7)),
                DateTimeOffset.FromUnixTimeMilliseconds(Number(row.GetString(8))),
                DateTimeOffset.FromUnixTimeMilliseconds(Number(row.GetString(9)))),
            ("@service", cluster.Value.ServiceId), ("@after", page.After), ("@status", status), ("@limit", (long)page.Limit + 1)),
        cancellationToken);

    /// <summary>Whether another provider has this nickname. Asked before a write: the index's refusal is true at any time, but Orleans logs it as a failure.</summary>
    public async Task<bool> IsTakenAsync(string nickname, long by, CancellationToken cancellationToken) => await states.ReadAsync(
        session => session.FirstAsync(
            "select 1 from GrainState where ServiceId = @service and GrainTypeString = 'provider' and Name = @name and not (GrainIdN0 = 0 and GrainIdN1 = @id) limit 1",
            static row => row.GetInt32(0),
            ("@service", cluster.Value.ServiceId), ("@name", nickname), ("@id", by)),
        cancellationToken) == 1;

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
