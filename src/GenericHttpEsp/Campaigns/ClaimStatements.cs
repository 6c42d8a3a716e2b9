using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// The statements of a claim. PostgreSQL takes a set in one statement, since each is a way to the server and back; SQLite runs in this process and
/// takes row by row.
/// </summary>
internal static class ClaimStatements
{
    private const string Columns =
        """
        campaign_id, run, run_date, partition_id, attempt, state, first_id, last_id, ids, outcome, live, provider_id, provider_version,
          hashes, batch_key, claimed_at, deadline_at, repeat_until, epoch, created_at
        """;

    /// <summary>
    /// Moves the cursors of the claims' partitions; answers those that let it. A database that has gone back under the running silos lets none: it may have
    /// forgotten an unsubscribe. (The embedded one cannot, while the program has it open.)
    /// </summary>
    public static async Task<HashSet<long>> FenceAsync(LedgerSession session, IReadOnlyList<PendingClaim> claims)
    {
        if (!session.IsSqlite)
        {
            await LockAsync(session, Column(claims, static claim => claim.Owner.PartitionId));
            return [.. await session.QueryAsync(
                $"""
                update partitions set cursor = given.upto
                from unnest(@ids, @epochs, @since, @upto) as given(id, epoch, since, upto)
                where partitions.id = given.id and partitions.epoch = given.epoch and partitions.cursor = given.since and partitions.state = 'open'
                  and {RestoreMark.IsAbsent}
                returning partitions.id
                """,
                static row => row.GetInt64(0),
                ("@ids", Column(claims, static claim => claim.Owner.PartitionId)), ("@epochs", Column(claims, static claim => claim.Owner.Epoch)),
                ("@since", Column(claims, static claim => claim.From)), ("@upto", Column(claims, static claim => claim.To)))];
        }

        var passed = new HashSet<long>();
        foreach (var (request, _) in claims)
        {
            if (await session.ExecuteAsync(
                "update partitions set cursor = @to where id = @id and epoch = @epoch and cursor = @from and state = 'open'",
                ("@to", request.To), ("@id", request.Owner.PartitionId), ("@epoch", request.Owner.Epoch), ("@from", request.From)) == 1)
            {
                passed.Add(request.Owner.PartitionId);
            }
        }

        return passed;
    }

    /// <summary>In the order of ids, as pause and stop do: an update takes its rows in any order, and two that wait for each other cost a second.</summary>
    public static Task<int> LockAsync(LedgerSession session, long[] partitions) =>
        session.ExecuteAsync("select 1 from partitions where id = any(@ids) order by id for update", ("@ids", partitions));

    // Writes the row although nothing changes: only a written row is locked against another activation's new epoch until the commit.
    public static async Task<bool> HoldAsync(LedgerSession session, ClaimOwner owner) => await session.ExecuteAsync(
        $"update partitions set cursor = cursor where id = @id and epoch = @epoch and state = 'open' and {RestoreMark.IsAbsent}",
        ("@id", owner.PartitionId), ("@epoch", owner.Epoch)) == 1;

    /// <summary>Those of the batches' records who must not get mail by what is committed now, with the reason.</summary>
    public static async Task<Dictionary<long, RecordOutcome>> ForbiddenAsync(LedgerSession session, IReadOnlyList<BatchDraft> batches)
    {
        var ids = batches.SelectMany(batch => batch.Ids.Where((_, i) => batch.Outcomes[i] == RecordOutcome.ToCome)).ToArray();
        var rows = await session.QueryAsync(
            $"""
            select t.value, case when p.id is null then {(int)RecordOutcome.SkippedErased} else {(int)RecordOutcome.SkippedUnsubscribed} end
            from {session.Rows("@ids")}
            left join profiles p on p.id = t.value
            left join subscriptions s on s.key = p.key and s.forbids
            where p.id is null or s.key is not null
            """,
            static row => (Id: row.GetInt64(0), Reason: (RecordOutcome)row.GetInt32(1)),
            ("@ids", ids));
        // Two runs of a set may have the same person.
        return rows.DistinctBy(static row => row.Id).ToDictionary(static row => row.Id, static row => row.Reason);
    }

    public static Task<long> SplitOfFirstAsync(LedgerSession session, BatchRow row) => row.ParentId == 0
        ? Task.FromResult(0L)
        : session.FirstAsync(
            """
            select p.id from batches p left join batches g on g.run_date = @date and g.id = p.parent_id
            where p.run_date = @date and p.id = @parent and p.state = 4 and (g.id is null or g.state <> 4)
            """,
            static found => found.GetInt64(0),
            ("@date", row.RunDate), ("@parent", row.ParentId));

    /// <summary>Inserts the rows; answers their ids in order.</summary>
    public static async Task<List<long>> InsertAsync(LedgerSession session, List<NewBatch> rows, long deadlineMilliseconds)
    {
        if (!session.IsSqlite && rows.Count > 1)
        {
            return await InsertSetAsync(session, rows, deadlineMilliseconds);
        }

        var ids = new List<long>(rows.Count);
        foreach (var row in rows)
        {
            ids.Add(await InsertAsync(session, row, deadlineMilliseconds));
        }

        return ids;
    }

    public static Task<int> UpdateAsync(LedgerSession session, ReclaimRequest request, RecordOutcome[] outcomes, long deadlineMilliseconds)
    {
        var row = new NewBatch(request.Owner, request.Batch, outcomes);
        return session.ExecuteAsync(
            $"""
            update batches set state = @state, outcome = @outcome, live = @live, hashes = @hashes, batch_key = @key, provider_version = @version,
              claimed_at = {session.Now}, deadline_at = {session.Now} + @deadline, repeat_until = {session.Now} + cast(@lifetime as bigint), epoch = @epoch
            where run_date = @date and id = @id
            """,
            ("@date", (long)request.Owner.RunDate), ("@state", (short)row.State), ("@outcome", Bytes(outcomes)), ("@live", row.Live),
            ("@hashes", request.Batch.Hashes), ("@key", request.Batch.Key), ("@version", (long)request.Owner.ProviderVersion),
            ("@deadline", deadlineMilliseconds), ("@lifetime", Milliseconds(request.Owner.KeyLifetime)), ("@epoch", request.Owner.Epoch),
            ("@id", request.BatchId));
    }

    private static Task<long> InsertAsync(LedgerSession session, NewBatch row, long deadlineMilliseconds) => session.FirstAsync(
        $"""
        insert into batches ({Columns})
        values (@campaign, @run, @date, @partition, 0, @state, @first, @last, @ids, @outcome, @live, @provider, @version,
          @hashes, @key, {session.Now}, {session.Now} + @deadline, {session.Now} + cast(@lifetime as bigint), @epoch, {session.Now})
        returning id
        """,
        static found => found.GetInt64(0),
        ("@campaign", row.Owner.CampaignId), ("@run", row.Owner.Run), ("@date", (long)row.Owner.RunDate), ("@partition", row.Owner.PartitionId),
        ("@state", (short)row.State), ("@first", row.Draft.Ids[0]), ("@last", row.Draft.Ids[^1]),
        ("@ids", IdArray.ToColumn(session, row.Draft.Ids)), ("@outcome", Bytes(row.Outcomes)), ("@live", row.Live),
        ("@provider", row.Owner.ProviderId), ("@version", (long)row.Owner.ProviderVersion), ("@hashes", row.Draft.Hashes), ("@key", row.Draft.Key),
        ("@deadline", deadlineMilliseconds), ("@lifetime", Milliseconds(row.Owner.KeyLifetime)), ("@epoch", row.Owner.Epoch));

    /// <summary>All ids in one flat array, of which each row takes its slice: an array of arrays would have to be square.</summary>
    private static async Task<List<long>> InsertSetAsync(LedgerSession session, List<NewBatch> rows, long deadlineMilliseconds)
    {
        var lengths = rows.ConvertAll(static row => (long)row.Draft.Ids.Length);
        var ends = lengths.ConvertAll(static _ => 0L);
        for (var i = 0; i < ends.Count; i++)
        {
            ends[i] = lengths[i] + (i > 0 ? ends[i - 1] : 0);
        }

        var found = await session.QueryAsync(
            $"""
            insert into batches ({Columns})
            select campaign, run, date, partition, 0, state, first, last, (@flat)[upto - length + 1 : upto], outcome, live, provider, version,
              hashes, key, {session.Now}, {session.Now} + @deadline, {session.Now} + lifetime, epoch, {session.Now}
            from unnest(@campaign, @run, @date, @partition, @state, @first, @last, @length, @upto, @outcome, @live, @provider, @version,
              @hashes, @key, @lifetime, @epoch)
              as given(campaign, run, date, partition, state, first, last, length, upto, outcome, live, provider, version, hashes, key, lifetime, epoch)
            returning batch_key, id
            """,
            static row => (Key: row.GetString(0), Id: row.GetInt64(1)),
            ("@flat", rows.SelectMany(static row => row.Draft.Ids).ToArray()), ("@deadline", deadlineMilliseconds),
            ("@campaign", Column(rows, static row => row.Owner.CampaignId)), ("@run", Column(rows, static row => row.Owner.Run)),
            ("@date", Column(rows, static row => (long)row.Owner.RunDate)), ("@partition", Column(rows, static row => row.Owner.PartitionId)),
            ("@state", Column(rows, static row => (short)row.State)), ("@first", Column(rows, static row => row.Draft.Ids[0])),
            ("@last", Column(rows, static row => row.Draft.Ids[^1])), ("@length", lengths.ToArray()), ("@upto", ends.ToArray()),
            ("@outcome", Column(rows, static row => Bytes(row.Outcomes))), ("@live", Column(rows, static row => row.Live)),
            ("@provider", Column(rows, static row => row.Owner.ProviderId)), ("@version", Column(rows, static row => (long)row.Owner.ProviderVersion)),
            ("@hashes", Column(rows, static row => row.Draft.Hashes)), ("@key", Column(rows, static row => row.Draft.Key)),
            ("@lifetime", Column(rows, static row => Milliseconds(row.Owner.KeyLifetime))), ("@epoch", Column(rows, static row => row.Owner.Epoch)));
        // RETURNING promises no order; a claim's key is its own.
        var byKey = found.ToDictionary(static row => row.Key, static row => row.Id);
        return rows.ConvertAll(row => byKey[row.Draft.Key]);
    }

    private static long? Milliseconds(TimeSpan? time) => time is { } value ? (long)value.TotalMilliseconds : null;

    private static byte[] Bytes(RecordOutcome[] outcomes) => Array.ConvertAll(outcomes, static outcome => (byte)outcome);

    private static T[] Column<T>(IReadOnlyList<PendingClaim> claims, Func<ClaimRequest, T> column) => [.. claims.Select(claim => column(claim.Request))];

    private static T[] Column<T>(List<NewBatch> rows, Func<NewBatch, T> column) => [.. rows.Select(column)];
}
