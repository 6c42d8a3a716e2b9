namespace GenericHttpEsp.Dispatch;

/// <summary>
/// What dispatch needs of the ledger. A batch is claimed before it is sent and its outcome is written after; both are durable when the call returns.
/// </summary>
internal interface IBatchLedger
{
    /// <summary>
    /// Moves the partition's cursor over the given batches and records each, leaving out everyone who must not get mail. Throws
    /// <see cref="Storage.CommitUnknownException"/> when nobody knows whether it happened: then nothing may be sent.
    /// </summary>
    Task<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>Claims a waiting row again, with a fresh look at who must not get mail.</summary>
    Task<ClaimResult> ReclaimAsync(ReclaimRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Claims a row whose answer is lost for the same request under the same key. Held for a person instead when the request would differ, the key is too
    /// old, or it was repeated often enough.
    /// </summary>
    Task<ClaimResult> RepeatAsync(ReclaimRequest request, CancellationToken cancellationToken);

    /// <summary>Writes what became of a claimed batch. Not fenced: the truth about a request that was made is always welcome. Repeatable.</summary>
    Task RecordAsync(BatchReport report, CancellationToken cancellationToken);

    /// <summary>After an ambiguous commit of a claim: closes its row, if it is there, as not sent.</summary>
    Task CloseUnsentAsync(long partitionId, string batchKey, CancellationToken cancellationToken);
}

/// <summary>Who claims, for which template.</summary>
/// <param name="Epoch">The partition's epoch; a claim under an older one is refused.</param>
/// <param name="KeyLifetime">How long the ESP remembers a key, when lost answers may be repeated; else null.</param>
internal sealed record ClaimOwner(
    long CampaignId, int Run, int RunDate, long PartitionId, long Epoch, long ProviderId, int ProviderVersion, TimeSpan? KeyLifetime);

/// <param name="From">The partition's cursor must stand here.</param>
/// <param name="Batches">Consecutive: each begins after the one before.</param>
internal sealed record ClaimRequest(ClaimOwner Owner, long From, IReadOnlyList<BatchDraft> Batches)
{
    /// <summary>Where the cursor stands after it.</summary>
    public long To => Batches[^1].Ids[^1];
}

/// <summary>Records packed into one request, before admission.</summary>
/// <param name="Ids">Ascending ids of the audience, without a gap in it.</param>
/// <param name="Outcomes">For each id: to come, or why it was skipped already.</param>
/// <param name="Hashes">8 bytes an id, of the rendered record.</param>
/// <param name="Key"><c>$$BatchID</c>: names this claim.</param>
internal sealed record BatchDraft(long[] Ids, RecordOutcome[] Outcomes, byte[] Hashes, string Key);

internal sealed record ReclaimRequest(ClaimOwner Owner, long BatchId, BatchDraft Batch);

internal enum ClaimStatus
{
    Claimed,

    /// <summary>Another activation owns the partition, the cursor has moved, or the campaign is paused or stopped.</summary>
    Fenced,

    /// <summary>Only this row cannot be claimed (any more); the partition goes on.</summary>
    Held,
}

internal sealed record ClaimResult(ClaimStatus Status, IReadOnlyList<ClaimedBatch> Batches)
{
    public static readonly ClaimResult Fenced = new(ClaimStatus.Fenced, []);

    public static readonly ClaimResult Held = new(ClaimStatus.Held, []);
}

/// <param name="Attempt">Requests made for these records before.</param>
/// <param name="BrokenOff">Tries in a row until now that ended before the whole request was sent.</param>
/// <param name="Outcomes">As committed: only records that are still to come may be sent.</param>
/// <param name="Key">What <c>$$BatchID</c> becomes.</param>
/// <param name="SplitOfFirst">The row that was split into this one, unless that row came from a split itself; else 0.</param>
/// <param name="Gate">Its window counts from before the transaction's BEGIN. The caller disposes it.</param>
internal sealed record ClaimedBatch(long Id, int Attempt, int BrokenOff, RecordOutcome[] Outcomes, string Key, long SplitOfFirst, SendGate Gate)
{
    public required long PartitionId { get; init; }

    /// <summary>The request was made before and its answer is lost: only an acceptance says more than that.</summary>
    public bool Repeats { get; init; }
}

/// <summary>What became of one claimed batch.</summary>
/// <param name="Outcomes">For each id of the row, news about it; to come means it goes on in <paramref name="Successors"/>.</param>
/// <param name="Answer">What the ESP said, shortened; shown to people.</param>
/// <param name="PossiblyRepeated">The successors may repeat what the ESP has done already.</param>
internal sealed record BatchReport(
    long BatchId, RecordOutcome[] Outcomes, IReadOnlyList<Successor> Successors, string? Answer, bool PossiblyRepeated = false)
{
    /// <summary>The row's partition.</summary>
    public long PartitionId { get; init; }
}

/// <summary>A new waiting row for records that are still to come.</summary>
/// <param name="First">Index of the first record in the closed row.</param>
/// <param name="Count">How many, from there; records with an outcome are left out.</param>
/// <param name="CountsAsAttempt">False when no request was made.</param>
/// <param name="BrokeOff">The connection failed, or broke before the whole request was sent.</param>
internal sealed record Successor(int First, int Count, TimeSpan Delay, bool CountsAsAttempt, bool BrokeOff = false);
