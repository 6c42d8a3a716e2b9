using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>The ids of one range of <see cref="AudienceBlocks.IdsPerBlock"/>, ascending.</summary>
internal sealed record AudienceBlock(long Block, long[] Ids);

/// <summary>A block on its way into SQLite.</summary>
internal sealed record PackedBlock(long Block, byte[] Ids, long FirstId, long LastId, int Total);

/// <summary>Consecutive blocks that one partition works through; <c>Cursor</c> is the id before its first one.</summary>
internal sealed record AudienceSlice(long FirstBlock, long LastBlock, long Cursor, long LastId, long Total);

/// <summary>How an audience is cut up: the numbers for both engines, and the cutting itself for SQLite.</summary>
internal static class AudienceBlocks
{
    public const int IdsPerBlock = 4096;

    /// <summary>A partition with less to do would cost more to start than it saves.</summary>
    public const int BlocksPerPartition = 8;

    /// <summary>More than the silos of a cluster can use.</summary>
    public const int PartitionsMax = 64;

    /// <summary>Packs ascending ids as they come; only packed blocks stay in memory.</summary>
    public static async Task<List<PackedBlock>> PackAsync(IAsyncEnumerable<long> ids)
    {
        var packed = new List<PackedBlock>();
        var open = new List<long>(IdsPerBlock);
        await foreach (var id in ids)
        {
            if (open.Count > 0 && open[^1] / IdsPerBlock != id / IdsPerBlock)
            {
                packed.Add(Pack(open));
                open.Clear();
            }

            open.Add(id);
        }

        if (open.Count > 0)
        {
            packed.Add(Pack(open));
        }

        return packed;
    }

    /// <summary>Spreads the blocks evenly over partitions, each a run of consecutive ones.</summary>
    public static IEnumerable<AudienceSlice> Slice(IReadOnlyList<PackedBlock> blocks)
    {
        var partitions = Math.Clamp((blocks.Count + BlocksPerPartition - 1) / BlocksPerPartition, 1, PartitionsMax);
        return blocks
            .Index()
            .GroupBy(block => (long)block.Index * partitions / blocks.Count, static block => block.Item)
            .Select(static slice => new AudienceSlice(
                slice.First().Block, slice.Last().Block, slice.First().FirstId - 1, slice.Last().LastId, slice.Sum(static block => (long)block.Total)));
    }

    private static PackedBlock Pack(List<long> ids) =>
        new(ids[0] / IdsPerBlock, IdArray.Pack(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids)), ids[0], ids[^1], ids.Count);
}
