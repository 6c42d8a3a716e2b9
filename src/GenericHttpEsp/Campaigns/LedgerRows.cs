using System.Data.Common;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>States of a batch row. Values are stored and never change.</summary>
internal enum BatchState : short
{
    /// <summary>Owned by its partition, not on the wire; goes out when it is due.</summary>
    Waiting = 0,

    /// <summary>May be on the wire.</summary>
    Claimed = 1,

    Closed = 2,

    /// <summary>Holds records whose request was made and whose answer is lost.</summary>
    Unknown = 3,

    /// <summary>Its records went on in smaller rows.</summary>
    Split = 4,
}

/// <summary>Values of the column <c>state</c> of a partition. Claims go through only while it is open.</summary>
internal static class PartitionStates
{
    public const string Open = "open";
    public const string Paused = "paused";
    public const string Stopped = "stopped";
    public const string Done = "done";
}

/// <summary>Changes of a partition's counters, by outcome.</summary>
internal sealed class CounterChange
{
    private static readonly string Update =
        $"update partitions set starts = 0, {string.Join(", ", OutcomeRules.Counted.Select(outcome => $"{Column(outcome)} = {Column(outcome)} + @{Column(outcome)}"))} where id = @id";

    private static readonly string UpdateSet =
        $"""
        update partitions set starts = 0, {string.Join(", ", OutcomeRules.Counted.Select(outcome => $"{Column(outcome)} = partitions.{Column(outcome)} + given.{Column(outcome)}"))}
        from unnest(@id, {string.Join(", ", OutcomeRules.Counted.Select(outcome => "@" + Column(outcome)))})
          as given(id, {string.Join(", ", OutcomeRules.Counted.Select(Column))})
        where partitions.id = given.id
        """;

    private readonly Dictionary<RecordOutcome, long> _changes = OutcomeRules.Counted.ToDictionary(outcome => outcome, _ => 0L);

    /// <summary>Column of the partitions table that counts an outcome.</summary>
    public static string Column(RecordOutcome outcome) => outcome switch
    {
        RecordOutcome.ToCome => "to_come",
        RecordOutcome.Accepted => "accepted",
        RecordOutcome.Refused => "refused",
        RecordOutcome.Failed => "failed",
        RecordOutcome.Unknown => "unknown",
        RecordOutcome.Retried => "retried",
        RecordOutcome.SkippedUnsubscribed => "skipped_unsubscribed",
        RecordOutcome.SkippedGroup => "skipped_group",
        RecordOutcome.SkippedErased => "skipped_erased",
        RecordOutcome.SkippedRender => "skipped_render",
        RecordOutcome.SkippedBadAddress => "skipped_bad_address",
        RecordOutcome.SkippedTooLate => "skipped_too_late",
        RecordOutcome.SkippedStopped => "skipped_stopped",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "This outcome is not counted."),
    };

    /// <summary>A record goes from one outcome to another. Moved records live on in a successor as to come, so moving changes nothing.</summary>
    public void Move(RecordOutcome from, RecordOutcome to, int records = 1)
    {
        _changes[Counts(from)] -= records;
        _changes[Counts(to)] += records;
    }

    /// <summary>The same for all records of a row.</summary>
    public void Move(byte[] from, byte[] to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            Move((RecordOutcome)from[i], (RecordOutcome)to[i]);
        }
    }

    /// <summary>Adds the changes to the rows of several partitions, in the order of their ids; one statement where a statement is a way to a server.</summary>
    public static async Task ApplyAsync(LedgerSession session, IReadOnlyDictionary<long, CounterChange> changes)
    {
        if (session.IsSqlite || changes.Count == 1)
        {
            foreach (var (partition, change) in changes.OrderBy(static change => change.Key))
            {
                await change.ApplyAsync(session, partition);
            }
        }
        else if (changes.Count > 1)
        {
            await ClaimStatements.LockAsync(session, [.. changes.Keys]);
            await session.ExecuteAsync(
                UpdateSet,
                [
                    ("@id", changes.Keys.ToArray()),
                    .. OutcomeRules.Counted.Select(outcome => ("@" + Column(outcome), (object?)changes.Values.Select(change => change._changes[outcome]).ToArray())),
                ]);
        }
    }

    /// <summary>Adds the changes to the partition's row, in the transaction that changes the outcome bytes. Also tells that the partition survives its batches.</summary>
    public Task<int> ApplyAsync(LedgerSession session, long partitionId)
    {
        var parameters = new (string, object?)[OutcomeRules.Counted.Length + 1];
        parameters[0] = ("@id", partitionId);
        for (var i = 0; i < OutcomeRules.Counted.Length; i++)
        {
            parameters[i + 1] = ("@" + Column(OutcomeRules.Counted[i]), _changes[OutcomeRules.Counted[i]]);
        }

        return session.ExecuteAsync(Update, parameters);
    }

    private static RecordOutcome Counts(RecordOutcome outcome) => outcome == RecordOutcome.Moved ? RecordOutcome.ToCome : outcome;
}

/// <summary>A batch row as read for a change.</summary>
internal sealed record BatchRow(
    long Id, long PartitionId, long ParentId, BatchState State, int Attempt, int BrokenOff, long[] Ids, byte[] Outcomes, long CreatedAt, long RunDate)
{
    public const string Columns = "id, partition_id, coalesce(parent_id, 0), state, attempt, broken_off, ids, outcome, created_at, run_date";

    public static BatchRow Read(LedgerSession session, DbDataReader row) => new(
        row.GetInt64(0),
        row.GetInt64(1),
        row.GetInt64(2),
        (BatchState)row.GetInt16(3),
        row.GetInt32(4),
        row.GetInt32(5),
        IdArray.FromColumn(session, row, 6),
        row.GetFieldValue<byte[]>(7),
        row.GetInt64(8),
        row.GetInt64(9));

    /// <summary>Its outcomes after news about them.</summary>
    public byte[] Next(RecordOutcome[] news)
    {
        var outcomes = new byte[Outcomes.Length];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = (byte)OutcomeRules.Next((RecordOutcome)Outcomes[i], news[i]);
        }

        return outcomes;
    }

    public static Task<BatchRow?> FindAsync(LedgerSession session, long id, long runDate) => session.FirstAsync(
        $"select {Columns} from batches where run_date = @date and id = @id {session.ForUpdate}",
        row => Read(session, row),
        ("@date", runDate), ("@id", id));
}
