using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A run that has its audience: how many people, in how many partitions (none when nobody is in it).</summary>
internal sealed record RunAudience(long Audience, int Partitions);

/// <summary>What stands in the row of a run.</summary>
internal sealed record RunHeader(long CampaignId, int Run, long RunDate, long StartedAt);

/// <summary>
/// Fixes the audience of a run, and reads it back. Fixed means: filter and lists are asked once, on one snapshot; who is imported later is not in it,
/// who is erased later is skipped when the turn comes.
/// </summary>
internal sealed class AudienceStore(LedgerDatabase database, MonthPartitions months)
{
    /// <summary>
    /// Writes the run, its blocks of ids and its partitions in one transaction. Callers repeat it until it has succeeded: what an earlier try left is
    /// replaced, unless a partition of it has already begun (an epoch was taken); then that run stands and its numbers are answered.
    /// </summary>
    /// <param name="runDate">yyyymmdd, UTC.</param>
    public async Task<RunAudience> CreateRunAsync(
        long campaignId, int run, int runDate, DateTimeOffset startedAt, AudienceFilter filter, CancellationToken cancellationToken)
    {
        var header = new RunHeader(campaignId, run, runDate, startedAt.ToUnixTimeMilliseconds());
        await months.EnsureAsync("batches", [runDate], cancellationToken);
        var sql = AudienceSql.Compile(filter, database.Engine);
        if (database.Engine == StorageEngine.PostgreSql)
        {
            return await PostgresAudience.CreateAsync(database, header, sql, cancellationToken);
        }

        var blocks = await database.ReadAsync(session => SqliteAudience.ReadAsync(session, sql, cancellationToken), cancellationToken);
        return await database.WriteAsync(WriteKind.Event, session => SqliteAudience.WriteAsync(session, header, blocks), blocks.Count + 1, cancellationToken);
    }

    /// <summary>The ids of one block, ascending; none when the block has nobody.</summary>
    public async Task<long[]> ReadBlockAsync(long campaignId, int run, long block, CancellationToken cancellationToken) =>
        await NextBlockAsync(campaignId, run, block - 1, block, cancellationToken) is { } found ? found.Ids : [];

    /// <summary>The first block after <paramref name="afterBlock"/> up to and with <paramref name="lastBlock"/>; null at the end.</summary>
    public Task<AudienceBlock?> NextBlockAsync(long campaignId, int run, long afterBlock, long lastBlock, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session => session.FirstAsync(
                """
                select block, ids from audience
                where campaign_id = @campaign and run = @run and block > @after and block <= @last
                order by block limit 1
                """,
                row => new AudienceBlock(row.GetInt64(0), IdArray.FromColumn(session, row, 1)),
                ("@campaign", campaignId), ("@run", run), ("@after", afterBlock), ("@last", lastBlock)),
            cancellationToken);

    /// <summary>All ids of some consecutive blocks, ascending, as the session sees them.</summary>
    public static async Task<long[]> ReadBlocksAsync(LedgerSession session, long campaignId, int run, long firstBlock, long lastBlock)
    {
        var blocks = await session.QueryAsync(
            "select ids from audience where campaign_id = @campaign and run = @run and block between @first and @last order by block limit 100000",
            row => IdArray.FromColumn(session, row, 0),
            ("@campaign", campaignId), ("@run", run), ("@first", firstBlock), ("@last", lastBlock));
        return [.. blocks.SelectMany(static ids => ids)];
    }

    /// <summary>
    /// Removes what a start that did not finish has left, and answers null; answers the run instead when it has begun. The partitions are locked first:
    /// one whose epoch is being taken at this moment is seen as begun, or its taker finds no row.
    /// </summary>
    internal static async Task<RunAudience?> RemoveLeftoversAsync(LedgerSession session, RunHeader header)
    {
        (string, object?)[] key = [("@campaign", header.CampaignId), ("@run", header.Run)];
        var epochs = await session.QueryAsync(
            $"select epoch from partitions where campaign_id = @campaign and run = @run order by id limit {AudienceBlocks.PartitionsMax} {session.ForUpdate}",
            static row => row.GetInt64(0), key);
        if (epochs.Exists(static epoch => epoch > 0))
        {
            var audience = await session.FirstAsync(
                "select audience from runs where campaign_id = @campaign and run = @run", static row => row.GetInt64(0), key);
            return new RunAudience(audience, epochs.Count);
        }

        await session.ExecuteAsync("delete from audience where campaign_id = @campaign and run = @run", key);
        await session.ExecuteAsync("delete from partitions where campaign_id = @campaign and run = @run", key);
        await session.ExecuteAsync("delete from runs where campaign_id = @campaign and run = @run", key);
        return null;
    }
}
