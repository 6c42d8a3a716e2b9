namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Rendered records of consecutive ids of one partition, under 1 MB where a record allows. Inside a silo the page passes by reference: whoever took it
/// owns the buffer.
/// </summary>
[GenerateSerializer, Immutable, Alias("ghe.RecordPage")]
public sealed record RecordPage
{
    [Id(0)] public required long CampaignId { get; init; }

    [Id(1)] public required int Run { get; init; }

    [Id(2)] public required long PartitionId { get; init; }

    /// <summary>The partition's epoch under which it was rendered.</summary>
    [Id(3)] public required long Epoch { get; init; }

    /// <summary>The waiting row these records belong to; 0 for records at the cursor.</summary>
    [Id(4)] public long BatchId { get; init; }

    /// <summary>Cursor before the first id.</summary>
    [Id(5)] public required long From { get; init; }

    [Id(6)] public required long[] Ids { get; init; }

    /// <summary>For each id: to come, or the reason for skipping it.</summary>
    [Id(7)] public required RecordOutcome[] Outcomes { get; init; }

    /// <summary>For each id the bytes of its record in <see cref="Bytes"/>; 0 when skipped.</summary>
    [Id(8)] public required int[] Lengths { get; init; }

    [Id(9)] public required byte[] Bytes { get; init; }

    /// <summary>The row's request was made and its answer is lost: the same request again, under the same key.</summary>
    [Id(11)] public bool Repeats { get; init; }

    /// <summary>
    /// A page of this epoch was taken before: a dispatcher that does not know of it answers <see cref="PageReceipt.Broken"/>. (False from silos of a version
    /// that does not tell.)
    /// </summary>
    [Id(12)] public bool Continues { get; init; }

    /// <summary>Nothing follows: what is buffered goes out without waiting for more.</summary>
    [Id(10)] public required bool Last { get; init; }
}
