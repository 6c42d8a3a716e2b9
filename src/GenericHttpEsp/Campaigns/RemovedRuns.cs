using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>Runs whose batches are older than retention: counters tell how many, nobody tells who.</summary>
internal static class RemovedRuns
{
    public const string Word = "removed";
    public const string Reason = "older than retention";

    public static async Task<bool> HasAsync(LedgerSession session, long campaign, int run) => await session.FirstAsync(
        "select 1 from runs where campaign_id = @campaign and run = @run and batches_removed_at is not null",
        static row => row.GetInt32(0),
        ("@campaign", campaign), ("@run", run)) == 1;

    public static async Task<bool> AnyAsync(LedgerSession session, long campaign) => await session.FirstAsync(
        "select 1 from runs where campaign_id = @campaign and batches_removed_at is not null limit 1", static row => row.GetInt32(0), ("@campaign", campaign)) == 1;

    /// <summary>The same, when retention that is just marking has ended: until the transaction's end it marks none of them.</summary>
    public static async Task<bool> AnyLockedAsync(LedgerSession session, long campaign) => (await session.QueryAsync(
        $"select case when batches_removed_at is null then 0 else 1 end from runs where campaign_id = @campaign order by run {session.ForUpdate}",
        static row => row.GetInt32(0),
        ("@campaign", campaign))).Contains(1);

    /// <summary>Whether some of the campaign's runs began before a date.</summary>
    public static async Task<bool> AnyBeforeAsync(LedgerSession session, long campaign, long runDate) => await session.FirstAsync(
        "select 1 from runs where campaign_id = @campaign and run_date < @date limit 1",
        static row => row.GetInt32(0),
        ("@campaign", campaign), ("@date", runDate)) == 1;
}
