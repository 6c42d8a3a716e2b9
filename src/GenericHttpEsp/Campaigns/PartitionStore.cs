using System.Data.Common;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>A partition under a new epoch.</summary>
internal sealed record PartitionLease(long CampaignId, int Run, long Epoch, long Cursor, long LastId, long FirstBlock, long LastBlock, int Starts);

/// <summary>How far a partition is.</summary>
internal enum PartitionTail
{
    /// <summary>Something is still to come.</summary>
    Open,

    /// <summary>Nothing is left, and it is recorded.</summary>
    Done,

    /// <summary>Another epoch, or paused or stopped: the work on it ends.</summary>
    Fenced,
}

/// <summary>A row that waits to be claimed again.</summary>
/// <param name="Repetition">Above 0 when its answer is lost: the number of the repetition of the same request.</param>
internal sealed record WaitingRow(long Id, long[] Ids, long DueInMilliseconds, int Repetition);

/// <summary>What a partition still has beside its cursor.</summary>
internal sealed record OpenRows(IReadOnlyList<WaitingRow> Waiting, int Claimed);

/// <summary>Rows of the partitions table: epochs, states, sums.</summary>
internal sealed class PartitionStore(LedgerDatabase database)
{
    private const int WaitingRowsMax = 64;

    // A pause also counts where another one has closed already: the number must rise, or a state between the two would open.
    private const string ToPause = "(state = 'open' or (state = 'paused' and control < @control))";

    /// <summary>
    /// Takes a new epoch, so that claims of any other activation are refused; null when the partition is not open, or the database was restored and nobody has
    /// looked at it.
    /// </summary>
    /// <param name="partitionId">The partition.</param>
    /// <param name="countsAsStart">The first epoch of an activation: too many without any outcome mean that the work ends the process.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<PartitionLease?> TakeAsync(long partitionId, bool countsAsStart, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Claim,
        session => session.FirstAsync(
            $"""
            update partitions set epoch = epoch + 1, starts = starts + @start where id = @id and state = 'open' and {RestoreMark.IsAbsent}
            returning campaign_id, run, epoch, cursor, last_id, first_block, last_block, starts
            """,
            static row => new PartitionLease(
                row.GetInt64(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), (int)row.GetInt64(7)),
            ("@id", partitionId), ("@start", countsAsStart ? 1L : 0L)),
        rows: 1,
        affinity: partitionId,
        cancellationToken);

    /// <summary>An orderly end is not a crash, nor is what comes after everything was rendered: the starts so far do not count.</summary>
    public Task ReleaseAsync(long partitionId, long epoch, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Event,
        session => session.ExecuteAsync(
            "update partitions set starts = 0 where id = @id and epoch = @epoch", ("@id", partitionId), ("@epoch", epoch)),
        rows: 1,
        affinity: partitionId,
        cancellationToken);

    /// <summary>Done when the cursor stands at the end and no row is open. Writes only when it looks so.</summary>
    public async Task<PartitionTail> FinishAsync(long partitionId, long epoch, CancellationToken cancellationToken)
    {
        var (mine, ended) = await database.ReadAsync(
            session => session.FirstAsync(
                """
                select case when epoch = @epoch and state = 'open' then 1 else 0 end, case when cursor >= last_id and to_come = 0 then 1 else 0 end
                from partitions where id = @id
                """,
                static row => (row.GetInt32(0) == 1, row.GetInt32(1) == 1),
                ("@id", partitionId), ("@epoch", epoch)),
            cancellationToken);
        return !mine ? PartitionTail.Fenced : ended && await MarkDoneAsync(partitionId, epoch, cancellationToken) ? PartitionTail.Done : PartitionTail.Open;
    }

    private Task<bool> MarkDoneAsync(long partitionId, long epoch, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Outcome,
        async session => await session.ExecuteAsync(
            $"""
            update partitions set state = 'done'
            where id = @id and epoch = @epoch and state = 'open' and cursor >= last_id and to_come = 0
              and not exists (select 1 from batches b where {RunDates.OfPartition} and b.partition_id = @id and b.state in (0, 1))
              and not exists (select 1 from batches b where {RunDates.OfPartition} and b.partition_id = @id and b.state = 3 and b.repeat_until is not null)
            """,
            ("@id", partitionId), ("@epoch", epoch)) == 1,
        rows: 1,
        affinity: partitionId,
        cancellationToken);

    public Task<OpenRows> OpenRowsAsync(long partitionId, CancellationToken cancellationToken) => database.ReadAsync(
        async session =>
        {
            var waiting = await session.QueryAsync(
                $"""
                select id, ids, coalesce(not_before, 0) - {session.Now}, 0 from (select * from batches where {RunDates.OfPartition} and partition_id = @id and state = 0 and coalesce(not_before, 0) <= {session.Now} order by id limit {WaitingRowsMax}) w
                union all
                select id, ids, coalesce(not_before, 0) - {session.Now}, repeats + 1
                from (select * from batches where {RunDates.OfPartition} and partition_id = @id and state = 3 and repeat_until is not null and coalesce(not_before, 0) <= {session.Now} order by id limit {WaitingRowsMax}) r
                """,
                row => new WaitingRow(row.GetInt64(0), IdArray.FromColumn(session, row, 1), row.GetInt64(2), row.GetInt32(3)),
                ("@id", partitionId));
            var claimed = await session.FirstAsync(
                $"select count(*) from batches where {RunDates.OfPartition} and partition_id = @id and state = 1", static row => row.GetInt64(0), ("@id", partitionId));
            return new OpenRows(waiting, (int)claimed);
        },
        cancellationToken);

    /// <summary>Ids of the run's partitions that are not done.</summary>
    public Task<List<long>> UnfinishedAsync(long campaignId, int run, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "select id from partitions where campaign_id = @campaign and run = @run and state <> 'done' order by id limit 10000",
            static row => row.GetInt64(0),
            ("@campaign", campaignId), ("@run", run)),
        cancellationToken);

    /// <summary>Closes all partitions of a run for claims, in one transaction; the new epoch turns away what was rendered before.</summary>
    /// <param name="campaignId">The campaign.</param>
    /// <param name="run">Its run.</param>
    /// <param name="control">Revision of the stored state that says so: whoever has read an older one opens nothing afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task PauseAsync(long campaignId, int run, long control, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        session => session.ExecuteAsync(
            $"""
            update partitions set state = 'paused', control = case when control < @control then @control else control end, epoch = epoch + 1, starts = 0
            where id in (select id from partitions where campaign_id = @campaign and run = @run and {ToPause} order by id {session.ForUpdate}) and {ToPause}
            """,
            ("@control", control), ("@campaign", campaignId), ("@run", run)),
        cancellationToken: cancellationToken);

    /// <summary>Opens the paused partitions of a run for claims, unless a later state has paused them.</summary>
    /// <param name="campaignId">The campaign.</param>
    /// <param name="run">Its run.</param>
    /// <param name="control">Revision of the stored state that lets it run.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task OpenAsync(long campaignId, int run, long control, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        session => session.ExecuteAsync(
            $"""
            update partitions set state = 'open', epoch = epoch + 1, starts = 0
            where id in (select id from partitions where campaign_id = @campaign and run = @run and state = 'paused' order by id {session.ForUpdate})
              and state = 'paused' and control <= @control
            """,
            ("@control", control), ("@campaign", campaignId), ("@run", run)),
        cancellationToken: cancellationToken);

    /// <summary>The latest revision that paused anything of the campaign.</summary>
    public Task<long> ControlAsync(long campaignId, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.FirstAsync(
            "select coalesce(max(control), 0) from partitions where campaign_id = @campaign", static row => row.GetInt64(0), ("@campaign", campaignId)),
        cancellationToken);

    /// <summary>Ends a run: what no request has begun for is skipped as stopped. What is on the wire still gets its outcome.</summary>
    public Task StopAsync(long campaignId, int run, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        async session =>
        {
            var partitions = await session.QueryAsync(
                $"""
                select id, to_come from partitions
                where campaign_id = @campaign and run = @run and state in ('open', 'paused') order by id {session.ForUpdate}
                """,
                static row => (Id: row.GetInt64(0), ToCome: row.GetInt64(1)),
                ("@campaign", campaignId), ("@run", run));
            foreach (var (id, toCome) in partitions)
            {
                await StopOneAsync(session, id, toCome);
            }

            return partitions.Count;
        },
        cancellationToken: cancellationToken);

    /// <summary>Whether a claimed row has no outcome yet, a repetition's too.</summary>
    public Task<bool> AnyClaimedAsync(long campaignId, CancellationToken cancellationToken) => database.ReadAsync(
        async session => await session.FirstAsync(
            $"select 1 from batches where {RunDates.OfCampaign} and partition_id in (select id from partitions where campaign_id = @campaign) and state = 1 limit 1",
            static row => row.GetInt32(0),
            ("@campaign", campaignId)) == 1,
        cancellationToken);

    public Task<CampaignCounts> CountsAsync(long campaignId, CancellationToken cancellationToken) => database.ReadAsync(
        session => CountsAsync(session, campaignId), cancellationToken);

    private static async Task<CampaignCounts> CountsAsync(LedgerSession session, long campaignId)
    {
        var sums = string.Join(", ", OutcomeRules.Counted.Select(outcome => $"coalesce(sum({CounterChange.Column(outcome)}), 0)"));
        var counts = await session.FirstAsync(
            $"select {sums}, coalesce(sum(total), 0), coalesce(sum(possibly_repeated), 0) from partitions where campaign_id = @campaign", ReadCounts, ("@campaign", campaignId));
        var inFlight = await session.FirstAsync(
            $"select coalesce(sum(live), 0) from batches where {RunDates.OfCampaign} and partition_id in (select id from partitions where campaign_id = @campaign) and state = 1",
            static row => Convert.ToInt64(row.GetValue(0), System.Globalization.CultureInfo.InvariantCulture),
            ("@campaign", campaignId));
        return counts! with { InFlight = inFlight, Events = await EventStore.CountsAsync(session, campaignId) };
    }

    // A sum of bigints is numeric on PostgreSQL.
    private static CampaignCounts ReadCounts(DbDataReader row)
    {
        var counts = OutcomeRules.Counted
            .Select((outcome, i) => (outcome, Count: Convert.ToInt64(row.GetValue(i), System.Globalization.CultureInfo.InvariantCulture)))
            .ToDictionary(pair => pair.outcome, pair => pair.Count);
        var audience = Convert.ToInt64(row.GetValue(OutcomeRules.Counted.Length), System.Globalization.CultureInfo.InvariantCulture);
        var repeated = Convert.ToInt64(row.GetValue(OutcomeRules.Counted.Length + 1), System.Globalization.CultureInfo.InvariantCulture);
        return new CampaignCounts(audience, counts, 0, repeated);
    }

    private static async Task StopOneAsync(LedgerSession session, long id, long toCome)
    {
        var onTheWire = await session.FirstAsync(
            $"select coalesce(sum(live), 0) from batches where {RunDates.OfPartition} and partition_id = @id and state = 1",
            static row => Convert.ToInt64(row.GetValue(0), System.Globalization.CultureInfo.InvariantCulture),
            ("@id", id));
        await session.ExecuteAsync("update partitions set state = 'stopped', epoch = epoch + 1 where id = @id", ("@id", id));
        var change = new CounterChange();
        change.Move(RecordOutcome.ToCome, RecordOutcome.SkippedStopped, (int)(toCome - onTheWire));
        await change.ApplyAsync(session, id);
        var waiting = await session.QueryAsync(
            $"select {BatchRow.Columns} from batches where {RunDates.OfPartition} and partition_id = @id and state = 0 order by id", row => BatchRow.Read(session, row), ("@id", id));
        foreach (var row in waiting)
        {
            var outcomes = Array.ConvertAll(row.Outcomes, static outcome => outcome == 0 ? (byte)RecordOutcome.SkippedStopped : outcome);
            await session.ExecuteAsync(
                "update batches set state = 2, outcome = @outcome, live = 0 where run_date = @date and id = @id", ("@date", row.RunDate), ("@outcome", outcomes), ("@id", row.Id));
        }
    }
}

/// <summary>Where the people of a campaign's audience are.</summary>
/// <param name="Audience">Of all runs; who was retried is in two of them.</param>
/// <param name="InFlight">Of those to come, on the wire now.</param>
/// <param name="PossiblyRepeated">Records whose next request may have repeated the last one.</param>
internal sealed record CampaignCounts(long Audience, IReadOnlyDictionary<RecordOutcome, long> By, long InFlight, long PossiblyRepeated)
{
    /// <summary>What callbacks told.</summary>
    public EventCounts Events { get; init; } = EventCounts.None;
}
