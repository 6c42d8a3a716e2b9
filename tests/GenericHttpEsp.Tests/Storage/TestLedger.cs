using GenericHttpEsp.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace GenericHttpEsp.Tests.Storage;

/// <summary>A migrated ledger on one of the engines, in a folder or database of its own.</summary>
internal sealed class TestLedger : IAsyncDisposable
{
    private readonly string _folder;
    private readonly NpgsqlDataSource? _source;

    private TestLedger(LedgerDatabase database, string folder, NpgsqlDataSource? source, StorageOptions options)
    {
        (Database, _folder, _source, Options) = (database, folder, source, options);
    }

    public LedgerDatabase Database { get; }

    public StorageOptions Options { get; }

    public static async Task<TestLedger> CreateAsync(StorageEngine engine, PostgresServer server, TimeProvider? time = null, Action<StorageOptions>? configure = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("ghe-ledger-").FullName;
        var options = new StorageOptions { DataDirectory = folder };
        configure?.Invoke(options);
        NpgsqlDataSource? source = null;
        LedgerDatabase database;
        if (engine == StorageEngine.Sqlite)
        {
            database = new SqliteLedger(Microsoft.Extensions.Options.Options.Create(options), time ?? TimeProvider.System, NullLogger<SqliteLedger>.Instance);
        }
        else
        {
            source = PostgresLedger.Source(await server.NewDatabaseAsync(cancellationToken));
            database = new PostgresLedger(source, Microsoft.Extensions.Options.Options.Create(options), time ?? TimeProvider.System, NullLogger<PostgresLedger>.Instance);
        }

        await using var session = await database.OpenSessionAsync(cancellationToken);
        await Migrations.ApplyAsync(session.Connection, engine == StorageEngine.Sqlite ? "sqlite" : "postgres", cancellationToken);
        return new TestLedger(database, folder, source, options);
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        if (_source is not null)
        {
            await _source.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Both engines, as theory data.</summary>
public static class Engines
{
    public static TheoryData<string> All => [nameof(StorageEngine.Sqlite), nameof(StorageEngine.PostgreSql)];

    internal static StorageEngine Parse(string engine) => Enum.Parse<StorageEngine>(engine);
}
