using System.Data.Common;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// The audience on SQLite: read beside the writer, then written in a short transaction. One statement is one snapshot, whatever is imported meanwhile;
/// in a single transaction the outcomes and unsubscribes of running campaigns would wait for the whole read.
/// </summary>
internal static class SqliteAudience
{
    public static async Task<List<PackedBlock>> ReadAsync(LedgerSession session, AudienceSql sql, CancellationToken cancellationToken)
    {
        // No limit: this is the one statement that must see everyone at once.
        await using var command = sql.Command(session, $"select p.id from {sql.From} where {sql.Where} order by p.id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await AudienceBlocks.PackAsync(IdsAsync(reader, cancellationToken));
    }

    public static async Task<RunAudience> WriteAsync(LedgerSession session, RunHeader header, IReadOnlyList<PackedBlock> blocks)
    {
        if (await AudienceStore.RemoveLeftoversAsync(session, header) is { } begun)
        {
            return begun;
        }

        foreach (var block in blocks)
        {
            await session.ExecuteAsync(
                "insert into audience (campaign_id, run, block, ids) values (@campaign, @run, @block, @ids)",
                ("@campaign", header.CampaignId), ("@run", header.Run), ("@block", block.Block), ("@ids", session.IsSqlite ? block.Ids : IdArray.Unpack(block.Ids)));
        }

        var slices = AudienceBlocks.Slice(blocks).ToList();
        foreach (var slice in slices)
        {
            await InsertAsync(session, header, slice);
        }

        var audience = slices.Sum(static slice => slice.Total);
        await session.ExecuteAsync(
            "insert into runs (campaign_id, run, run_date, started_at, audience) values (@campaign, @run, @date, @started, @audience)",
            ("@campaign", header.CampaignId), ("@run", header.Run), ("@date", header.RunDate), ("@started", header.StartedAt), ("@audience", audience));
        return new RunAudience(audience, slices.Count);
    }

    private static Task<int> InsertAsync(LedgerSession session, RunHeader header, AudienceSlice slice) => session.ExecuteAsync(
        """
        insert into partitions (campaign_id, run, first_block, last_block, last_id, cursor, epoch, state, starts, total, to_come)
        values (@campaign, @run, @first, @last, @lastId, @cursor, 0, 'open', 0, @total, @total)
        """,
        ("@campaign", header.CampaignId), ("@run", header.Run), ("@first", slice.FirstBlock), ("@last", slice.LastBlock),
        ("@lastId", slice.LastId), ("@cursor", slice.Cursor), ("@total", slice.Total));

    private static async IAsyncEnumerable<long> IdsAsync(
        DbDataReader reader, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return reader.GetInt64(0);
        }
    }
}
