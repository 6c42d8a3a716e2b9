using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace GenericHttpEsp.Providers;

/// <summary>Lists providers from the rows of their grains, so that a list activates none of them.</summary>
internal sealed class ProviderIndex(LedgerDatabase ledger, IOptions<StorageOptions> storage, IOptions<ClusterOptions> cluster)
{
    /// <param name="page">Ids above its cursor.</param>
    /// <param name="status">active or archived; null for both.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<List<ProviderSummary>> PageAsync(PageRequest page, string? status, CancellationToken cancellationToken)
    {
        if (ledger.Engine == StorageEngine.PostgreSql)
        {
            return await ledger.ReadAsync(session => PageAsync(session, page, status), cancellationToken);
        }

        // Grain states have a file of their own, which the ledger's connections do not see. SQLite reads block their thread.
        return await Task.Run(
            async () =>
            {
                var connection = new SqliteConnection(SqliteFiles.ConnectionString(SqliteFiles.Grains(storage.Value)));
                await using var session = new LedgerSession(connection, StorageEngine.Sqlite);
                await connection.OpenAsync(cancellationToken);
                return await PageAsync(session, page, status);
            },
            cancellationToken);
    }

    private Task<List<ProviderSummary>> PageAsync(LedgerSession session, PageRequest page, string? status) => session.QueryAsync(
        $"""
        select GrainIdN1, Name, Status, {Text(session, "Version")}, {Text(session, "Revision")}, {Text(session, "Contract", "RequestType")},
          {Text(session, "Contract", "Endpoint")}, {Text(session, "Contract", "Batch", "Size")}, {Text(session, "CreatedAt")}, {Text(session, "UpdatedAt")}
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
        ("@service", cluster.Value.ServiceId), ("@after", page.After), ("@status", status ?? ""), ("@limit", (long)page.Limit + 1));

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A member of the stored state as text.</summary>
    private static string Text(LedgerSession session, params string[] path) => session.IsSqlite
        ? $"cast(json_extract(cast(PayloadBinary as text), '$.{string.Join('.', path)}') as text)"
        : $"convert_from(PayloadBinary, 'UTF8')::jsonb #>> '{{{string.Join(',', path)}}}'";
}
