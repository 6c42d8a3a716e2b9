using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// What went wrong, grouped. Totals come from counters, reasons from the rows whose bytes hold such an outcome; a request looks at a bounded number of rows,
/// and what it has not looked at stands under <c>other</c> (or what is not there any more, under <c>older than retention</c>), so the counts always add up to the stats.
/// </summary>
internal sealed class ErrorStore(LedgerDatabase database, PartitionStore partitions, Retention retention)
{
    private const int ScannedRowsMax = 20_000;
    private const int GroupsMax = 50;
    private const int SamplesMax = 3;
    private const string Other = "other";
    private static readonly RecordOutcome[] Answered = [RecordOutcome.Refused, RecordOutcome.Failed, RecordOutcome.Unknown];

    public async Task<CampaignErrors> ReadAsync(long campaign, CancellationToken cancellationToken)
    {
        var counts = await partitions.CountsAsync(campaign, cancellationToken);
        return await database.ReadAsync(
            async session =>
            {
                var rest = await RemovedRuns.AnyAsync(session, campaign) ? RemovedRuns.Reason : Other;
                var groups = new List<(string Outcome, string Reason, long Count, IReadOnlyList<long> Ids)>();
                foreach (var outcome in Answered.Where(outcome => counts.By[outcome] > 0))
                {
                    groups.AddRange(await AnswersAsync(session, campaign, outcome, counts.By[outcome], rest));
                }

                foreach (var (name, outcome) in CampaignStatsRules.SkipReasons.Where(skip => counts.By[skip.Outcome] > 0))
                {
                    var samples = await RecordStore.PageAsync(session, campaign, (1, 0), [outcome], SamplesMax);
                    groups.Add(("skipped", name, counts.By[outcome], [.. samples.Items.Select(static place => place.RecipientId)]));
                }

                rest = await RemovedRuns.AnyBeforeAsync(session, campaign, retention.EventsFrom) ? RemovedRuns.Reason : Other;
                groups.AddRange(await BouncesAsync(session, campaign, counts.Events, rest));
                return await NamedAsync(session, groups);
            },
            cancellationToken);
    }

    private static async Task<List<(string, string, long, IReadOnlyList<long>)>> AnswersAsync(
        LedgerSession session, long campaign, RecordOutcome outcome, long total, string rest)
    {
        var holds = session.IsSqlite ? $"instr(outcome, x'{(int)outcome:x2}') > 0" : $"position('\\x{(int)outcome:x2}'::bytea in outcome) > 0";
        var rows = await session.QueryAsync(
            $"""
            select ids, outcome, coalesce(answer, '') from (
              select ids, outcome, answer, run, last_id from batches where {RunDates.OfCampaign} and campaign_id = @campaign order by run, last_id limit {ScannedRowsMax}) rows
            where {holds} limit {ScannedRowsMax}
            """,
            row => (Ids: IdArray.FromColumn(session, row, 0), Outcomes: row.GetFieldValue<byte[]>(1), Answer: row.GetString(2)),
            ("@campaign", campaign));
        var groups = rows
            .SelectMany(row => row.Ids.Where((_, i) => row.Outcomes[i] == (byte)outcome).Select(id => (row.Answer, Id: id)))
            .GroupBy(static record => record.Answer, static record => record.Id)
            .Select(static group => (Reason: group.Key, Count: (long)group.Count(), Ids: (IReadOnlyList<long>)[.. group.Take(SamplesMax)]))
            .OrderByDescending(static group => group.Count).Take(GroupsMax)
            .Select(group => (RecordWords.Of(outcome), group.Reason, group.Count, group.Ids))
            .ToList();
        AddRest(groups, RecordWords.Of(outcome), total, rest);
        return groups;
    }

    private static async Task<List<(string, string, long, IReadOnlyList<long>)>> BouncesAsync(LedgerSession session, long campaign, EventCounts counts, string rest)
    {
        if (counts.HardBounce + counts.SoftBounce == 0)
        {
            return [];
        }

        var bounces = await EventReader.BouncesAsync(session, campaign);
        var all = new List<(string, string, long, IReadOnlyList<long>)>();
        foreach (var (type, word, total) in new[] { (EventType.HardBounce, "hardBounce", counts.HardBounce), (EventType.SoftBounce, "softBounce", counts.SoftBounce) })
        {
            var groups = bounces.Where(bounce => bounce.Type == type).Select(bounce => (word, bounce.Description, bounce.Count, bounce.Recipients)).ToList();
            AddRest(groups, word, total, rest);
            all.AddRange(groups);
        }

        return all;
    }

    private static void AddRest(List<(string Outcome, string Reason, long Count, IReadOnlyList<long> Ids)> groups, string outcome, long total, string reason)
    {
        var rest = total - groups.Sum(static group => group.Count);
        if (rest > 0)
        {
            groups.Add((outcome, reason, rest, []));
        }
    }

    private static async Task<CampaignErrors> NamedAsync(LedgerSession session, List<(string Outcome, string Reason, long Count, IReadOnlyList<long> Ids)> groups)
    {
        var emails = await RecordEmails.OfAsync(session, [.. groups.SelectMany(static group => group.Ids).Distinct()]);
        return new CampaignErrors([.. groups.Select(group => new ErrorGroup(
            group.Outcome, group.Reason, group.Count, [.. group.Ids.Select(id => new ErrorSample(id, emails.GetValueOrDefault(id)))]))]);
    }
}

/// <summary>Addresses of those who are still there.</summary>
internal static class RecordEmails
{
    public static async Task<Dictionary<long, string>> OfAsync(LedgerSession session, long[] ids) =>
        (await session.QueryAsync($"select id, email from profiles where id {session.Any("@ids")}", static row => (row.GetInt64(0), row.GetString(1)), ("@ids", ids)))
            .ToDictionary();
}
