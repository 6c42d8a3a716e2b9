using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Profiles and lists put straight into the tables, and audiences read back.</summary>
internal static class AudienceRows
{
    private const int RowsPerInsert = 20_000;
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 23, 59, 0, TimeSpan.Zero);

    /// <summary>Adds profiles with these attributes, and answers their ids in the same order.</summary>
    public static async Task<IReadOnlyList<long>> AddProfilesAsync(this TestLedger ledger, IEnumerable<string> attributes)
    {
        var before = await ledger.LastIdAsync();
        foreach (var some in attributes.Chunk(RowsPerInsert))
        {
            await ledger.Database.WriteAsync(WriteKind.Import, session => session.ExecuteAsync(InsertSql(session), ("@attributes", some)));
        }

        return await ledger.Database.ReadAsync(session => session.QueryAsync(
            "select id from profiles where id > @before order by id", static row => row.GetInt64(0), ("@before", before)));
    }

    public static string InsertSql(LedgerSession session) =>
        $"""
        insert into profiles (key, email, attributes, created_at, updated_at)
        select {(session.IsSqlite ? "randomblob(16)" : "uuid_send(gen_random_uuid())")}, 'somebody@example.com', value, 1, 1 from {session.Rows("@attributes")}
        """;

    public static async Task AddToListAsync(this TestLedger ledger, string list, IEnumerable<long> ids)
    {
        await ledger.Database.WriteAsync(WriteKind.Import, async session =>
        {
            await session.ExecuteAsync("insert into lists (name, created_at) values (@name, 1) on conflict (name) do nothing", ("@name", list));
            return await session.ExecuteAsync(
                $"""
                insert into memberships (list_id, profile_id)
                select l.id, p.id from lists l cross join profiles p where l.name = @name and p.id {session.Any("@ids")}
                """,
                ("@name", list), ("@ids", ids.ToArray()));
        });
    }

    public static Task<int> RunAsync(this TestLedger ledger, string sql) =>
        ledger.Database.WriteAsync(WriteKind.Import, session => session.ExecuteAsync(sql));

    public static Task<RunAudience> CreateRunAsync(this TestLedger ledger, string? filter, int run = 1) =>
        new AudienceStore(ledger.Database, new MonthPartitions(ledger.Database)).CreateRunAsync(7, run, 20260301, Start, Parsed(filter), CancellationToken.None);

    /// <summary>Everyone in the run, block by block in the way a partition reads.</summary>
    public static async Task<List<long>> ReadRunAsync(this TestLedger ledger, int run = 1)
    {
        var store = new AudienceStore(ledger.Database, new MonthPartitions(ledger.Database));
        var ids = new List<long>();
        for (var after = -1L; await store.NextBlockAsync(7, run, after, long.MaxValue, CancellationToken.None) is { } block; after = block.Block)
        {
            Assert.All(block.Ids, id => Assert.Equal(block.Block, id / AudienceBlocks.IdsPerBlock));
            ids.AddRange(block.Ids);
        }

        return ids;
    }

    public static async Task<List<long>> MatchAsync(this TestLedger ledger, string filter)
    {
        await ledger.CreateRunAsync(filter);
        return await ledger.ReadRunAsync();
    }

    public static AudienceFilter Parsed(string? filter)
    {
        var contract = filter is null ? new AudienceContract { All = true } : new AudienceContract { Filter = JsonRead.Element(filter) };
        var (parsed, errors) = AudienceFilter.Parse(contract);
        Assert.Empty(errors);
        return parsed!;
    }

    private static async Task<long> LastIdAsync(this TestLedger ledger) => await ledger.Database.ReadAsync(
        session => session.FirstAsync("select coalesce(max(id), 0) from profiles", static row => row.GetInt64(0)));
}
