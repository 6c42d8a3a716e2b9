using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class ProfileTracesTests(PostgresServer server)
{
    private const int People = 4000;

    /// <summary>Rows that grew were moved between pages; every place they ever stood in must be overwritten, and nobody else may be lost.</summary>
    [Fact]
    public async Task Erased_LeavesNoCopy_OnPagesItsRowWasMovedFrom()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        var random = new Random(11);
        var people = Enumerable.Range(0, People).ToArray();
        for (var import = 0; import < 5; import++)
        {
            foreach (var chunk in people.Chunk(500))
            {
                await store.UpsertAsync([.. chunk.Select(person => Row(person, import, random))], WriteKind.Import, replaceLists: false, Cancel);
            }

            random.Shuffle(people);
        }

        var erased = people.Take(People / 8).ToArray();
        foreach (var person in erased)
        {
            Assert.True(await store.DeleteAsync(Key(person), Cancel));
        }

        await ledger.Database.ForgetDeletedAsync(Cancel);

        var dump = await LedgerDump.ReadAsync(ledger.Database, ledger.Options.DataDirectory);
        Assert.Empty(LedgerDump.Hits(dump, erased.Select(Email)));
        Assert.Equal(People - erased.Length, LedgerDump.Hits(dump, people.Except(erased).Select(Email)).Count);
        Assert.Equal(People - erased.Length, await ledger.Database.ReadAsync(
            session => session.FirstAsync("select count(*) from profiles where length(attributes) > 2", static row => row.GetInt64(0)), Cancel));
    }

    [Fact]
    public async Task Log_WithAReaderOnAnOlderMoment_IsCutWhenTheReaderLeaves()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        await store.UpsertAsync([Row(1, 0, new Random(1))], WriteKind.Import, replaceLists: false, Cancel);
        var (reading, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        var reader = ledger.Database.SnapshotAsync(async session =>
        {
            await session.FirstAsync("select count(*) from profiles", static row => row.GetInt64(0));
            reading.SetResult();
            await leave.Task;
            return 0;
        }, Cancel);
        await reading.Task;
        await store.DeleteAsync(Key(1), Cancel);
        var forgotten = ledger.Database.ForgetDeletedAsync(Cancel);
        Assert.False(forgotten.IsCompleted);

        leave.SetResult();
        await reader;
        await forgotten;

        Assert.Empty(LedgerDump.Hits(await LedgerDump.ReadAsync(ledger.Database, ledger.Options.DataDirectory), [Email(1)]));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Key(int number) => System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number))[..16];

    private static string Email(int person) => $"person{person:00000}x@example.com";

    private static ProfileUpsert Row(int person, int import, Random random) =>
        new(Key(person), Email(person), $$"""{"a":"{{new string('a', random.Next(import == 4 ? 3000 : 150 * import + 1))}}"}""", null, null);
}
