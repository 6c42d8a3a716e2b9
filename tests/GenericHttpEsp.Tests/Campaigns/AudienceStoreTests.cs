using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class AudienceStoreTests(PostgresServer server)
{
    private sealed record Slice(long FirstBlock, long LastBlock, long LastId, long Cursor, long Epoch, string State, long Starts, long Total, long ToCome);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Run_OfTwentyThousandWithGaps_HoldsEveryoneExactlyOnce(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        await ledger.AddProfilesAsync(Enumerable.Repeat("{}", 80_000));
        // A block without anyone, ranges at which only the first or the last id is left, and single gaps.
        await ledger.RunAsync("delete from profiles where id % 4 > 0 or id between 8192 and 12287 or id between 16385 and 20479");
        var everyone = await ledger.Database.ReadAsync(session => session.QueryAsync("select id from profiles order by id", static row => row.GetInt64(0)));

        var run = await ledger.CreateRunAsync(null);

        Assert.Equal(everyone, await ledger.ReadRunAsync());
        var slices = await SlicesAsync(ledger);
        Assert.Equal(new RunAudience(everyone.Count, 3), run with { Partitions = slices.Count });
        Assert.Equal(run.Partitions, slices.Count);
        Assert.Equal(everyone.Count, slices.Sum(static slice => slice.Total));
        foreach (var slice in slices)
        {
            var own = everyone.Where(id => id / 4096 >= slice.FirstBlock && id / 4096 <= slice.LastBlock).ToList();
            Assert.Equal(new Slice(own[0] / 4096, own[^1] / 4096, own[^1], own[0] - 1, 0, "open", 0, own.Count, own.Count), slice);
        }

        Assert.Equal([(20260301L, new DateTimeOffset(2026, 3, 1, 23, 59, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), (long)everyone.Count)], await RunsAsync(ledger));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Run_OfNobody_HasNoPartition(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);

        Assert.Equal(new RunAudience(0, 0), await ledger.CreateRunAsync(null));
        Assert.Empty(await ledger.ReadRunAsync());
        Assert.Equal(0, Assert.Single(await RunsAsync(ledger)).Audience);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Run_CreatedAgainBeforeItBegan_IsReplacedAndOthersStay(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var first = await ledger.AddProfilesAsync(["{}", "{}"]);
        await ledger.CreateRunAsync(null, run: 1);
        await ledger.CreateRunAsync(null, run: 2);
        var second = await ledger.AddProfilesAsync(["{}"]);

        Assert.Equal(new RunAudience(3, 1), await ledger.CreateRunAsync(null, run: 1));
        Assert.Equal([.. first, .. second], await ledger.ReadRunAsync(run: 1));
        Assert.Equal(first, await ledger.ReadRunAsync(run: 2));
        Assert.Equal([2, 3], (await SlicesAsync(ledger)).Select(static slice => slice.Total));
        Assert.Equal(2, (await RunsAsync(ledger)).Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Run_CreatedAgainAfterItBegan_Stands(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var ids = await ledger.AddProfilesAsync(["{}", "{}"]);
        await ledger.CreateRunAsync(null);
        await ledger.RunAsync("update partitions set epoch = 1, to_come = 1");
        await ledger.AddProfilesAsync(["{}"]);

        Assert.Equal(new RunAudience(2, 1), await ledger.CreateRunAsync(null));
        Assert.Equal(ids, await ledger.ReadRunAsync());
        Assert.Equal(1, Assert.Single(await SlicesAsync(ledger)).ToCome);
    }

    [Fact]
    public async Task SqliteRun_WithAnImportBetweenSnapshotAndWrite_IsTheSnapshot()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var before = await ledger.AddProfilesAsync(Enumerable.Repeat("{}", 5000));
        var sql = AudienceSql.Compile(AudienceFilter.Everyone, StorageEngine.Sqlite);
        var blocks = await ledger.Database.ReadAsync(session => SqliteAudience.ReadAsync(session, sql, CancellationToken.None));
        await ledger.AddProfilesAsync(Enumerable.Repeat("{}", 5000));

        var run = await ledger.Database.WriteAsync(WriteKind.Event, session => SqliteAudience.WriteAsync(session, new RunHeader(7, 1, 20260301, 1), blocks));

        Assert.Equal(5000, run.Audience);
        Assert.Equal(before, await ledger.ReadRunAsync());
    }

    [Fact]
    public async Task PostgresRun_WithAnImportCommittedAfterItsSnapshot_IsTheSnapshot()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.PostgreSql, server);
        var before = await ledger.AddProfilesAsync(Enumerable.Repeat("{}", 5000));
        var (inserted, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var import = ledger.Database.WriteAsync(WriteKind.Import, async session =>
        {
            await session.ExecuteAsync(AudienceRows.InsertSql(session), ("@attributes", Enumerable.Repeat("{}", 5000).ToArray()));
            inserted.TrySetResult();
            await release.Task;
            return 0;
        });
        await inserted.Task;

        var run = await ledger.CreateRunAsync(null);
        release.SetResult();
        await import;

        Assert.Equal(5000, run.Audience);
        Assert.Equal(before, await ledger.ReadRunAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Block_WithNobody_IsEmpty(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var ids = await ledger.AddProfilesAsync(["{}"]);
        await ledger.CreateRunAsync(null);
        var store = new AudienceStore(ledger.Database, new MonthPartitions(ledger.Database));

        Assert.Equal(ids, await store.ReadBlockAsync(7, 1, 0, CancellationToken.None));
        Assert.Empty(await store.ReadBlockAsync(7, 1, 1, CancellationToken.None));
        Assert.Empty(await store.ReadBlockAsync(7, 2, 0, CancellationToken.None));
        Assert.Null(await store.NextBlockAsync(7, 1, 0, 100, CancellationToken.None));
    }

    private static Task<List<Slice>> SlicesAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => session.QueryAsync(
        "select first_block, last_block, last_id, cursor, epoch, state, starts, total, to_come from partitions order by total, id",
        static row => new Slice(
            row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetString(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8))));

    private static Task<List<(long Date, long Started, long Audience)>> RunsAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => session.QueryAsync(
        "select run_date, started_at, audience from runs order by run", static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))));
}
