namespace GenericHttpEsp.Dispatch;

/// <summary>What is known of one record of a batch: one byte in the ledger. Values are stored and never change.</summary>
public enum RecordOutcome : byte
{
    /// <summary>Not sent yet, or on the wire.</summary>
    ToCome = 0,

    /// <summary>Lives on in a successor of this batch.</summary>
    Moved = 1,

    /// <summary>The request was made and its answer is lost.</summary>
    Unknown = 2,

    /// <summary>Attempts or time ran out.</summary>
    Failed = 3,

    /// <summary>The ESP said no to this record.</summary>
    Refused = 4,

    /// <summary>The ESP took it.</summary>
    Accepted = 5,

    /// <summary>Was refused or failed, and goes on in a later run.</summary>
    Retried = 6,

    SkippedUnsubscribed = 16,
    SkippedGroup = 17,
    SkippedErased = 18,
    SkippedRender = 19,
    SkippedBadAddress = 20,
    SkippedTooLate = 21,
    SkippedStopped = 22,
}

/// <summary>How outcomes replace each other.</summary>
internal static class OutcomeRules
{
    /// <summary>Outcomes that are counted: every record of an audience is in exactly one of them.</summary>
    public static readonly RecordOutcome[] Counted = [.. Enum.GetValues<RecordOutcome>().Where(outcome => outcome != RecordOutcome.Moved)];

    /// <summary>The outcome after news about a record. A truth only moves up: to come, unknown, failed or refused, accepted.</summary>
    public static RecordOutcome Next(RecordOutcome current, RecordOutcome news) => Rank(news) > Rank(current) ? news : current;

    private static int Rank(RecordOutcome outcome) => outcome switch
    {
        RecordOutcome.ToCome => 0,
        RecordOutcome.Unknown => 1,
        RecordOutcome.Failed or RecordOutcome.Refused => 2,
        RecordOutcome.Accepted => 3,
        // Moved and skipped: the truth about this record is not in this row, or it was never sent.
        _ => 4,
    };
}
