using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Storage;

/// <summary>Reads the rows of grain states, so that a list activates no grain. They have a file of their own on SQLite and tables beside ours on PostgreSQL.</summary>
internal sealed class GrainStates(LedgerDatabase ledger, IOptions<StorageOptions> storage)
{
    public Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read, CancellationToken cancellationToken) => ledger.Engine == StorageEngine.PostgreSql
        ? ledger.ReadAsync(read, cancellationToken)
        : Task.Run(() => ReadFileAsync(read, cancellationToken), cancellationToken);

    /// <summary>Whether a grain of this kind and id ever stored something; deleted providers count.</summary>
    public async Task<bool> HasAsync(string service, string kind, long id, CancellationToken cancellationToken) => await ReadAsync(
        session => session.FirstAsync(
            """
            select count(*) from (select 1 from GrainState
              where ServiceId = @service and GrainTypeString = @kind and GrainIdN0 = 0 and GrainIdN1 = @id and PayloadBinary is not null limit 1) found
            """,
            static row => row.GetInt64(0),
            ("@service", service), ("@kind", kind), ("@id", id)),
        cancellationToken) > 0;

    /// <summary>A member of the stored JSON as text.</summary>
    public static string Text(LedgerSession session, params string[] path) => session.IsSqlite
        ? $"cast(json_extract(cast(PayloadBinary as text), '$.{string.Join('.', path)}') as text)"
        : $"convert_from(PayloadBinary, 'UTF8')::jsonb #>> '{{{string.Join(',', path)}}}'";

    private async Task<T> ReadFileAsync<T>(Func<LedgerSession, Task<T>> read, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(SqliteFiles.ConnectionString(SqliteFiles.Grains(storage.Value)));
        await using var session = new LedgerSession(connection, StorageEngine.Sqlite);
        await connection.OpenAsync(cancellationToken);
        return await read(session);
    }
}
