using System.Text;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Recipients;

public sealed class ProfileStoreTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upsert_Repeated_InsertsNothingAndKeepsIds(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        var rows = Enumerable.Range(0, 1500).Select(i => Row(i, $$"""{"n":{{i}}}""", lists: ["News"])).ToArray();

        var first = await Upsert(store, rows);
        var ids = (await store.PageAsync(0, 2000, "News", Cancel)).Select(profile => profile.Row.Id).ToArray();
        var second = await Upsert(store, rows);

        Assert.All(first, outcome => Assert.Equal(UpsertOutcome.Inserted, outcome));
        Assert.All(second, outcome => Assert.Equal(UpsertOutcome.Updated, outcome));
        Assert.Equal(1500, ids.Length);
        Assert.Equal(ids, (await store.PageAsync(0, 2000, null, Cancel)).Select(profile => profile.Row.Id));
        await Upsert(store, [Row(9000)]);
        Assert.Equal(ids[^1] + 1, (await store.FindAsync(Key(9000), Cancel))!.Row.Id);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upsert_OfAKnownRecipient_MergesByName(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        await Upsert(store, [new ProfileUpsert(Key(1), "Ann@x.org", """{"a":1,"b":2}""", "Europe/Paris", ["A"])]);

        var outcomes = await Upsert(store, [Row(2), new ProfileUpsert(Key(1), "ann@X.org", """{"b":null,"c":"ü"}""", null, ["B"])]);

        Assert.Equal([UpsertOutcome.Inserted, UpsertOutcome.Updated], outcomes);
        var profile = await store.FindAsync(Key(1), Cancel);
        Assert.Equal(("ann@X.org", """{"a":1,"c":"ü"}""", "Europe/Paris"), (profile!.Row.Email, Encoding.UTF8.GetString(profile.Row.AttributesUtf8), profile.Row.TimeZone));
        Assert.Equal(["A", "B"], profile.Lists);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upsert_ThatReplacesLists_LeavesTheOthers(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        await Upsert(store, [Row(1, lists: ["A", "B"])]);

        await store.UpsertAsync([Row(1, lists: null)], WriteKind.Event, replaceLists: true, Cancel);
        Assert.Equal(["A", "B"], (await store.FindAsync(Key(1), Cancel))!.Lists);
        await store.UpsertAsync([Row(1, lists: ["C"]) with { TimeZone = "" }], WriteKind.Event, replaceLists: true, Cancel);

        Assert.Equal(["C"], (await store.FindAsync(Key(1), Cancel))!.Lists);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upsert_ThatWouldGrowTooLarge_ChangesNothing(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        await Upsert(store, [Row(1, $$"""{"a":"{{new string('x', 40_000)}}"}""")]);

        var outcomes = await Upsert(store, [Row(1, $$"""{"b":"{{new string('x', 40_000)}}"}""", lists: ["A"]), Row(2)]);

        Assert.Equal([UpsertOutcome.TooLarge, UpsertOutcome.Inserted], outcomes);
        Assert.Empty((await store.FindAsync(Key(1), Cancel))!.Lists);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upsert_OfTheSameRowsByManyAtOnce_InsertsEachOnce(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Upsert(
            store, [.. Enumerable.Range(0, 400).Select(i => Row((i * 7 + caller * 50) % 400, $$"""{"c{{caller}}":1}""", lists: [$"L{i % 5}"]))])));

        Assert.Equal(400, outcomes.Sum(set => set.Count(outcome => outcome == UpsertOutcome.Inserted)));
        var profiles = await store.PageAsync(0, 1000, null, Cancel);
        Assert.Equal(400, profiles.Count);
        Assert.All(profiles, profile => Assert.Equal(8, System.Text.Json.JsonElement.Parse(profile.Row.AttributesUtf8).GetPropertyCount()));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Pages_ByIds_ByList_AndAfterErasure_HoldWhatStands(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        await Upsert(store, [.. Enumerable.Range(0, 10).Select(i => Row(i, lists: i % 2 == 0 ? ["Even"] : []))]);
        var all = (await store.PageAsync(0, 100, null, Cancel)).Select(profile => profile.Row).ToArray();

        Assert.True(await store.DeleteAsync(Key(4), Cancel));
        Assert.False(await store.DeleteAsync(Key(4), Cancel));

        Assert.Null(await store.FindAsync(Key(4), Cancel));
        var gone = all.Single(row => row.Key.AsSpan().SequenceEqual(Key(4))).Id;
        Assert.Null(await store.KeyAsync(gone, Cancel));
        Assert.Equal(Key(5), await store.KeyAsync(all.Single(row => row.Key.AsSpan().SequenceEqual(Key(5))).Id, Cancel));
        Assert.Equal(9, (await store.ByIdsAsync([.. all.Select(row => row.Id)], Cancel)).Count);
        var page = await store.PageAsync(0, 3, "Even", Cancel);
        var rest = await store.PageAsync(page[^1].Row.Id, 3, "Even", Cancel);
        Assert.Equal(4, page.Concat(rest).Select(profile => profile.Row.Id).Distinct().Count());
        await Upsert(store, [Row(4)]);
        Assert.True((await store.FindAsync(Key(4), Cancel))!.Row.Id > all.Max(row => row.Id));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task List_Deleted_TakesItsMembershipsAndNobody(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var store = new ProfileStore(ledger.Database, TimeProvider.System);
        var lists = new ListStore(ledger.Database, TimeProvider.System);
        Assert.True((await lists.AddAsync("A", Cancel)).Created);
        Assert.False((await lists.AddAsync("A", Cancel)).Created);
        await Upsert(store, [.. Enumerable.Range(0, 5001).Select(i => Row(i, lists: ["A"]))]);

        Assert.True(await lists.DeleteAsync("A", Cancel));
        Assert.False(await lists.DeleteAsync("A", Cancel));

        Assert.Empty(await lists.PageAsync(0, 10, Cancel));
        Assert.Empty(await store.PageAsync(0, 10, "A", Cancel));
        Assert.Equal(10, (await store.PageAsync(0, 10, null, Cancel)).Count);
        Assert.Equal(0, await ledger.Database.ReadAsync(session => session.FirstAsync("select count(*) from memberships", static row => row.GetInt64(0)), Cancel));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<UpsertOutcome[]> Upsert(ProfileStore store, ProfileUpsert[] rows) => store.UpsertAsync(rows, WriteKind.Import, replaceLists: false, Cancel);

    private static byte[] Key(int number) => System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number))[..16];

    private static ProfileUpsert Row(int number, string attributes = "{}", string[]? lists = null) => new(Key(number), $"p{number}@x.org", attributes, null, lists);
}
