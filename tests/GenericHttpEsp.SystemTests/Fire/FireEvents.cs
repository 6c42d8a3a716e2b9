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
    /// <summary>Of a server that runs or one that has ended.</summary>
    public static Task<FireEvents> ReadAsync(FireDriver bench) => bench.ReadAsync(ReadAsync);

    private static async Task<FireEvents> ReadAsync(LedgerSession session)
    {
        var rows = await session.QueryAsync(
            "select campaign_id, run, recipient_id, type, moment, discriminator, occurred_at, reason_hash from events order by 1, 2, 3, 4, 5, 6",
            static row => string.Join('|', Enumerable.Range(0, row.FieldCount).Select(row.GetValue)));
        var emails = await session.QueryAsync(
            "select distinct p.email from events e join profiles p on p.id = e.recipient_id", static row => row.GetString(0));
        var counters = await session.QueryAsync(
            $"select {string.Join(", ", EventCounts.Columns)} from run_events",
            static row => string.Join(' ', Enumerable.Range(0, row.FieldCount).Select(row.GetValue)));
        var forbidden = await session.FirstAsync("select count(*) from subscriptions where forbids", static row => row.GetInt64(0));
        return new FireEvents(rows, emails.ToHashSet(), Assert.Single(counters), forbidden);
    }
}
