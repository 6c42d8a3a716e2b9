using System.Data.Common;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// What went wrong, grouped by what was said. Totals come from counters, reasons from the rows whose bytes hold such an outcome, counted in the database: of any
/// number of rows the most frequent reasons come back. The rest stands under <c>other</c> (or what is not there any more, under <c>older than retention</c>), so the
/// counts always add up to the stats.
/// </summary>
internal sealed class ErrorStore(LedgerDatabase database, PartitionStore partitions, Retention retention)
{
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
        var answers = await session.QueryAsync(
            $"""
            select coalesce(answer, ''), sum({Occurrences(session, outcome)}) as records, {Sample(0)}, {Sample(1)}, {Sample(2)}
            from batches where {RunDates.OfCampaign} and campaign_id = @campaign and {Holds(session, outcome)}
            group by coalesce(answer, '') order by records desc, coalesce(answer, '') limit {GroupsMax}
            """,
            static row => (Reason: row.GetString(0), Count: row.GetInt64(1), Rows: (long?[])[Id(row, 2), Id(row, 3), Id(row, 4)]),
            ("@campaign", campaign));
        var samples = await SamplesAsync(session, campaign, outcome, [.. answers.SelectMany(static answer => answer.Rows.OfType<long>())]);
        var groups = answers.ConvertAll(answer => (
            RecordWords.Of(outcome), answer.Reason, answer.Count,
            (IReadOnlyList<long>)[.. answer.Rows.OfType<long>().Order().SelectMany(row => samples.GetValueOrDefault(row, [])).Take(SamplesMax)]));
        AddRest(groups, RecordWords.Of(outcome), total, rest);
        return groups;

        static long? Id(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
    }

    /// <summary>People with the outcome in each of these rows, a few. Found by their whole keys: dates are few, and a row's place in its month is in the key.</summary>
    private static async Task<Dictionary<long, long[]>> SamplesAsync(LedgerSession session, long campaign, RecordOutcome outcome, long[] rows)
    {
        var dates = await session.QueryAsync("select distinct run_date from runs where campaign_id = @campaign", static row => row.GetInt64(0), ("@campaign", campaign));
        return (await session.QueryAsync(
            $"select id, ids, outcome from batches where run_date {session.Any("@dates")} and id {session.Any("@ids")}",
            row => (Id: row.GetInt64(0), Ids: IdArray.FromColumn(session, row, 1), Outcomes: row.GetFieldValue<byte[]>(2)),
            ("@dates", dates.ToArray()), ("@ids", rows)))
            .ToDictionary(static row => row.Id, row => row.Ids.Where((_, i) => row.Outcomes[i] == (byte)outcome).Take(SamplesMax).ToArray());
    }

    private static string Holds(LedgerSession session, RecordOutcome outcome) =>
        session.IsSqlite ? $"instr(outcome, x'{(int)outcome:x2}') > 0" : $"position('\\x{(int)outcome:x2}'::bytea in outcome) > 0";

    /// <summary>How many bytes of a row are this one. As text each of the outcomes asked for is one character that occurs nowhere else in it.</summary>
    private static string Occurrences(LedgerSession session, RecordOutcome outcome) => session.IsSqlite
        ? $"length(outcome) - length(cast(replace(outcome, char({(int)outcome}), '') as blob))"
        : $"length(encode(outcome, 'escape')) - length(replace(encode(outcome, 'escape'), chr({(int)outcome}), ''))";

    /// <summary>One of the group's rows: up to three different ones, without sorting them all.</summary>
    private static string Sample(int third) => $"min(case when id % {SamplesMax} = {third} then id end)";

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
