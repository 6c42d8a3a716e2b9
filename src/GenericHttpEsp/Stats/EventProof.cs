using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>
/// Events as proof that the ESP got a message. Whoever inserts events changes the run's counters before it looks for unknown records; whoever declares
/// records unknown locks those counters before it looks for events. So of two transactions at the same moment the later one sees the other's work.
/// </summary>
internal static class EventProof
{
    /// <summary>Those of the ids that a signed event names. The run's counters stay locked until the commit.</summary>
    public static async Task<HashSet<long>> FindAsync(LedgerSession session, long campaign, int run, long runDate, long provider, long[] recipients)
    {
        (string, object?)[] message = [("@campaign", campaign), ("@run", (long)run), ("@date", runDate)];
        await session.ExecuteAsync(
            """
            insert into run_events (campaign_id, run, run_date, provider_id) values (@campaign, @run, @date, @provider)
            on conflict (campaign_id, run) do update set run_date = run_events.run_date
            """,
            [.. message, ("@provider", provider)]);
        var proved = await session.QueryAsync(
            $"""
            select distinct recipient_id from events
            where run_date = @date and campaign_id = @campaign and run = @run and recipient_id {session.Any("@ids")} and signed {(session.IsSqlite ? "= 1" : "")}
            """,
            static row => row.GetInt64(0),
            [.. message, ("@ids", recipients)]);
        return [.. proved];
    }
}
