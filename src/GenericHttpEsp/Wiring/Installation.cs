using System.Data.Common;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// What must stand before the silo starts: the data directory and its lock, both databases' schemas, the keys, the first API key. The silo loads its
/// statements and grains read their state as soon as it starts.
/// </summary>
internal sealed partial class Installation(
    // First: what is made first is disposed last, and nobody may take the directory while the ledger still writes.
    DirectoryLock directory,
    LedgerDatabase database,
    DatabaseWait wait,
    OtherClusters others,
    DatabaseHome home,
    ApiKeys apiKeys,
    IOptions<StorageOptions> storage,
    IOptions<SecretsOptions> secrets,
    IOptions<AccountOptions> account,
    IOptions<PublicUrlOptions> addresses,
    TimeProvider time,
    ILogger<Installation> logger)
{
    private InstallationKeys? _keys;

    public InstallationKeys Keys => _keys ?? throw new InvalidOperationException("The installation has not been prepared yet.");

    private bool IsEmbedded => database.Engine == StorageEngine.Sqlite;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (IsEmbedded)
        {
            directory.Take();
            await using var grains = new SqliteConnection(SqliteFiles.ConnectionString(SqliteFiles.Grains(storage.Value)));
            await grains.OpenAsync(cancellationToken);
            await WriteAheadAsync(grains, cancellationToken);
            await Migrations.ApplyAsync(grains, "sqlite-grains", cancellationToken);
        }
        else if (secrets.Value.KeyFile is null)
        {
            throw new InvalidOperationException("With PostgreSQL every silo needs the same key file: set Secrets:KeyFile.");
        }

        if (!IsEmbedded && string.IsNullOrEmpty(addresses.Value.PublicUrl))
        {
            LogNoPublicUrl();
        }

        await using (var session = await OpenAsync(cancellationToken))
        {
            await Migrations.ApplyAsync(session.Connection, IsEmbedded ? "sqlite" : "postgres", cancellationToken);
        }

        await (IsEmbedded ? Task.CompletedTask : others.WaitAsync(cancellationToken));

        await home.PrepareAsync(cancellationToken);
        _keys = await InstallationKeys.LoadAsync(database, storage.Value, secrets.Value, account.Value.Id, time, cancellationToken);
        if (await apiKeys.BootstrapAsync(cancellationToken) is { } made)
        {
            // On the console and not in the log: logs are kept and sent elsewhere.
            Console.WriteLine($"First API key (shown this once; if it is lost, set Api:BootstrapKey): {made}");
        }
    }

    private Task<LedgerSession> OpenAsync(CancellationToken cancellationToken) =>
        IsEmbedded ? database.OpenSessionAsync(cancellationToken) : wait.OpenAsync(cancellationToken);

    // Readers of lists then never wait for a grain that writes.
    private static async Task WriteAheadAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        await using var pragma = connection.CreateCommand();
        pragma.CommandText = "pragma journal_mode = wal";
        await pragma.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "PublicUrl is not set: the links of campaigns that are started at this silo, and the callback addresses that it tells, lead to the address it listens on")]
    private partial void LogNoPublicUrl();
}
