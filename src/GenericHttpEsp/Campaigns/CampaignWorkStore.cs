using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// Campaigns with something to do. The row is written before the grain's state when a campaign starts and removed after it when it ends, so that after any
/// crash a row stands for every campaign that may have work. Only the database's clock is asked: a silo whose clock is an hour ahead would hide its campaigns
/// from all others for that hour.
/// An announcement carries the revision that the announcer is about to store. Of two activations (a network in two parts) the one that has read "completed"
/// would else remove what the other has just announced, and a campaign that runs would have no row: nobody would poke it, and unsubscribes would not wait for it.
/// </summary>
internal sealed class CampaignWorkStore(LedgerDatabase database)
{
    /// <param name="campaignId">The campaign.</param>
    /// <param name="due">Null: now.</param>
    /// <param name="revision">The revision of the state that will say so.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task AddAsync(long campaignId, DateTimeOffset? due, long revision, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Claim,
        session => session.ExecuteAsync(
            $"""
            insert into campaign_work (campaign_id, due_at, revision) values (@id, coalesce(cast(@due as bigint), {session.Now}), @revision)
            on conflict (campaign_id) do update set due_at = excluded.due_at, poked_at = 0,
              revision = case when campaign_work.revision > excluded.revision then campaign_work.revision else excluded.revision end
            """,
            ("@id", campaignId), ("@due", due?.ToUnixTimeMilliseconds()), ("@revision", revision)),
        cancellationToken: cancellationToken);

    /// <summary>Whether somebody announced work for a state later than this one.</summary>
    public async Task<bool> IsAnnouncedLaterAsync(long campaignId, long revision, CancellationToken cancellationToken) => await database.ReadAsync(
        session => session.FirstAsync(
            "select 1 from campaign_work where campaign_id = @id and revision > @revision", static row => row.GetInt32(0), ("@id", campaignId), ("@revision", revision)),
        cancellationToken) == 1;

    /// <param name="campaignId">The campaign.</param>
    /// <param name="revision">Of the stored state that has no work: what was announced for a later one stays.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task RemoveAsync(long campaignId, long revision, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Claim,
        session => session.ExecuteAsync("delete from campaign_work where campaign_id = @id and revision <= @revision", ("@id", campaignId), ("@revision", revision)),
        cancellationToken: cancellationToken);

    /// <summary>Takes the campaigns that are due and were not poked lately; several silos sweep, one of them gets each. What was poked further ahead than that was so by a clock that went back since; a clock that went back by less is waited for. None while the database is marked as restored.</summary>
    public Task<List<long>> TakeDueAsync(TimeSpan every, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Event,
        session => session.QueryAsync(
            $"""
            update campaign_work set poked_at = {session.Now}
            where campaign_id in
              (select campaign_id from campaign_work where due_at <= {session.Now} and (poked_at <= {session.Now} - @every or poked_at > {session.Now} + @every) order by poked_at limit 1000)
              and (poked_at <= {session.Now} - @every or poked_at > {session.Now} + @every) and {RestoreMark.IsAbsent}
            returning campaign_id
            """,
            static row => row.GetInt64(0),
            ("@every", (long)every.TotalMilliseconds)),
        cancellationToken: cancellationToken);

    public Task<List<long>> AllAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync("select campaign_id from campaign_work order by campaign_id limit 10000", static row => row.GetInt64(0)), cancellationToken);

    public Task<bool> AnyAsync(CancellationToken cancellationToken) => database.ReadAsync(
        async session => await session.FirstAsync("select 1 from campaign_work limit 1", static row => row.GetInt32(0)) == 1, cancellationToken);
}
