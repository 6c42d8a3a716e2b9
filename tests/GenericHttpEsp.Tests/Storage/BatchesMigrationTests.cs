using GenericHttpEsp.Storage;
using Npgsql;

namespace GenericHttpEsp.Tests.Storage;

public sealed class BatchesMigrationTests(PostgresServer server)
{
    private const string Rows = "select string_agg(md5(b::text), ' ' order by id) from (select id, campaign_id, run, run_date, partition_id, parent_id, state, ids, outcome, answer, created_at from batches) b";

    [Fact]
    public async Task Rows_OfVersionSix_AreCarriedOver_AndIdsGoOn()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var source = NpgsqlDataSource.Create(await server.NewDatabaseAsync(cancellationToken));
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await Migrations.ApplyAsync(connection, "postgres", cancellationToken, last: 6);
        await RunAsync(
            connection,
            """
            insert into runs (campaign_id, run, run_date, started_at, audience) values (1, 1, 20251230, 0, 1), (2, 1, 20260215, 0, 0);
            insert into batches (campaign_id, run, run_date, partition_id, attempt, state, first_id, last_id, ids, outcome, live, provider_id, provider_version, epoch, answer, created_at)
            select 1, 1, 20251201 + i % 31, 1, 0, 2, i, i, array[i::bigint], '\x01', 0, 1, 1, 1, 'answer ' || i, i from generate_series(1, 500) i;
            delete from batches where id > 490;
            """);
        var before = await ReadAsync(connection, Rows);

        await Migrations.ApplyAsync(connection, "postgres", cancellationToken);

        Assert.Equal(before, await ReadAsync(connection, Rows));
        // And this month's and the next one's.
        Assert.StartsWith("batches_202512 batches_202602 batches_2", await ReadAsync(
            connection, "select string_agg(inhrelid::regclass::text, ' ' order by 1) from pg_inherits where inhparent = 'batches'::regclass"));
        Assert.Equal("501", await ReadAsync(
            connection,
            """
            insert into batches (campaign_id, run, run_date, partition_id, attempt, state, first_id, last_id, ids, outcome, live, provider_id, provider_version, epoch, created_at)
            values (2, 1, 20260215, 1, 0, 2, 1, 1, '{1}', '\x01', 0, 1, 1, 1, 0) returning id::text
            """));
        await Migrations.ApplyAsync(connection, "postgres", cancellationToken);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string?> ReadAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string?)await command.ExecuteScalarAsync();
    }
}
