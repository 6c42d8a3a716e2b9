using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Storage;

public sealed class MigrationsTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Database_OfANewerProgram_IsRefused(string engine)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var folder = engine == nameof(StorageEngine.Sqlite) ? "sqlite" : "postgres";
        await using var session = await ledger.Database.OpenSessionAsync(cancellationToken);
        await Migrations.ApplyAsync(session.Connection, folder, cancellationToken);
        await session.ExecuteAsync("insert into schema_version (number, name) values (900, 'later')");

        var refusal = await Assert.ThrowsAsync<NewerSchemaException>(() => Migrations.ApplyAsync(session.Connection, folder, cancellationToken));
        Assert.Contains("900", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Keys_LoadedTwice_AreTheSameAndNotReadableInTheDatabase(string engine)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var first = await Load(ledger, cancellationToken);
        var second = await Load(ledger, cancellationToken);

        Assert.Equal(first.Address, second.Address);
        Assert.Equal(first.AccountId, second.AccountId);
        var wrapped = await ledger.Database.ReadAsync(
            session => session.QueryAsync("select wrapped from installation_keys", static row => row.GetFieldValue<byte[]>(0)), cancellationToken);
        Assert.Equal(3, wrapped.Count);
        Assert.DoesNotContain(wrapped, row => row.AsSpan().IndexOf(first.Address) >= 0 || row.AsSpan().IndexOf(first.Secret) >= 0);
    }

    private static Task<InstallationKeys> Load(TestLedger ledger, CancellationToken cancellationToken) =>
        InstallationKeys.LoadAsync(ledger.Database, ledger.Options, new SecretsOptions(), null, TimeProvider.System, cancellationToken);
}
