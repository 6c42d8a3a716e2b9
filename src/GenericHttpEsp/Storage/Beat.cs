using System.Globalization;

namespace GenericHttpEsp.Storage;

/// <summary>What the silos last wrote into the database to recognise it by.</summary>
/// <param name="At">Unix milliseconds of the database's clock; each is higher than the one before.</param>
/// <param name="Word">Drawn by chance.</param>
internal sealed record Beat(long At, string Word)
{
    /// <summary>This one was written over a later one, or in its place: the database is an older state of the one where <paramref name="later"/> was seen.</summary>
    public bool IsBefore(Beat later) => At < later.At || (At == later.At && Word != later.Word);

    public static Beat? Parse(string line) =>
        line.Split(' ') is [var at, var word] && long.TryParse(at, CultureInfo.InvariantCulture, out var milliseconds) ? new Beat(milliseconds, word) : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At} {Word}");
}

/// <summary>What a silo remembers of a database when it starts.</summary>
/// <param name="Seen">Certainly was in the database.</param>
/// <param name="Next">May have been written into it right before the end.</param>
internal sealed record BeatMemory(Beat Seen, Beat? Next);

/// <summary>What the database says.</summary>
/// <param name="Last">Null: no silo that beats has ever run here.</param>
/// <param name="LastTimeline">Of the log when that was written.</param>
/// <param name="Timeline">Of the log now.</param>
/// <param name="IsUnbroken">The server has gone through no recovery since a silo ran.</param>
/// <param name="Now">Unix milliseconds of its clock.</param>
internal sealed record BeatRow(Beat? Last, int LastTimeline, int Timeline, bool IsUnbroken, long Now)
{
    /// <summary>Somebody beat just now; not so after the server's clock went back.</summary>
    public bool IsFresh(TimeSpan age) => Last is not null && Now >= Last.At && Now - Last.At < age.TotalMilliseconds;
}

internal enum BeatVerdict
{
    /// <summary>The database that the silos knew, as they left it.</summary>
    Known,

    /// <summary>It may be a copy: only a silo that runs on it can tell.</summary>
    Doubtful,

    /// <summary>It was restored.</summary>
    Restored,
}

/// <summary>Whether a silo that starts may believe that the database is the one on which silos ran last, with all they wrote.</summary>
internal static class BeatRules
{
    /// <param name="row">The database's own word.</param>
    /// <param name="memory">The silo's, about this very database. Null: it has none.</param>
    /// <param name="trustsFailover">A new timeline alone is no loss.</param>
    public static (BeatVerdict Verdict, string Because) Judge(BeatRow row, BeatMemory? memory, bool trustsFailover) => row switch
    {
        { Last: null } => (BeatVerdict.Known, ""),
        { Last: { } last } when memory is not null && last != memory.Next && last.IsBefore(memory.Seen) => (
            BeatVerdict.Restored,
            string.Create(CultureInfo.InvariantCulture, $"it is {(memory.Seen.At - last.At) / 1000.0:f1} seconds older than what this silo last saw of it")),
        _ when row.LastTimeline != row.Timeline && !trustsFailover => (
            BeatVerdict.Restored, $"its timeline changed from {row.LastTimeline} to {row.Timeline}: it was recovered, or a standby has taken over"),
        { IsUnbroken: true } => (BeatVerdict.Known, ""),
        { Last: var last } when memory is not null && (last == memory.Seen || last == memory.Next) => (BeatVerdict.Known, ""),
        _ => (BeatVerdict.Doubtful, "its server recovered from a crash or a backup, or a standby has taken over, and no silo is left that remembers its last state"),
    };
}
