using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>What the ledger says of callbacks.</summary>
/// <param name="Rows">Events, as text.</param>
/// <param name="Emails">Whose events they are.</param>
/// <param name="Counters">In the order of <see cref="EventCounts.Columns"/>.</param>
/// <param name="Forbidden">Subscriptions that forbid.</param>
internal sealed record FireEvents(IReadOnlyList<string> Rows, IReadOnlySet<string> Emails, string Counters, long Forbidden)
{
    /// <param name="bench">Its server may run or have ended.</param>
    /// <param name="campaign">Unset: there is only one.</param>
    public static Task<FireEvents> ReadAsync(FireDriver bench, long? campaign = null) => bench.ReadAsync(session => ReadAsync(session, campaign ?? 0, campaign is null));

    private static async Task<FireEvents> ReadAsync(LedgerSession session, long campaign, bool all)
    {
        const string Of = "(@all or campaign_id = @campaign)";
        (string, object?)[] which = [("@all", all), ("@campaign", campaign)];
        var rows = await session.QueryAsync(
            $"select campaign_id, run, recipient_id, type, moment, discriminator, occurred_at, reason_hash from events where {Of} order by 1, 2, 3, 4, 5, 6",
            static row => string.Join('|', Enumerable.Range(0, row.FieldCount).Select(row.GetValue)),
            which);
        var emails = await session.QueryAsync(
            $"select distinct p.email from events e join profiles p on p.id = e.recipient_id where {Of}", static row => row.GetString(0), which);
        var counters = await session.QueryAsync(
            $"select {string.Join(", ", EventCounts.Columns)} from run_events where {Of}",
            static row => string.Join(' ', Enumerable.Range(0, row.FieldCount).Select(row.GetValue)),
            which);
        var forbidden = await session.FirstAsync(
            $"""
            select count(*) from subscriptions s
            where s.forbids and (@all or s.key in (select p.key from events e join profiles p on p.id = e.recipient_id where e.campaign_id = @campaign))
            """,
            static row => row.GetInt64(0),
            which);
        return new FireEvents(rows, emails.ToHashSet(), Assert.Single(counters), forbidden);
    }
}
