using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>Holds the promises against what the ESP's log, the ledger and those outside say.</summary>
internal sealed class SimulationJudge(Simulation simulation, LedgerDatabase ledger)
{
    // A non-idempotent ESP under retry: the first request and three repetitions.
    private const int TakenMaxUnderRetry = 4;
    private readonly List<string> _problems = [];

    public string Summary { get; private set; } = "";

    public async Task<IReadOnlyList<string>> JudgeAsync()
    {
        var audit = await new LedgerAudit(ledger).VerifyAsync(SimulationSetup.Campaign, default);
        _problems.AddRange(audit.Problems.Select(static problem => $"I3 sum: {problem}"));
        if (audit.Audience != simulation.People.Ids.Count)
        {
            _problems.Add($"I3 sum: the audience has {audit.Audience} people, not {simulation.People.Ids.Count}");
        }

        if (simulation.Campaign.Status == CampaignStatuses.Completed && audit.Counted["toCome"] > 0)
        {
            _problems.Add($"I6 completed: {audit.Counted["toCome"]} are still to come");
        }

        Summary = $"{simulation.Campaign.Status}: {string.Join(", ", audit.Counted.Where(static pair => pair.Value > 0).Select(static pair => $"{pair.Key} {pair.Value}"))}";
        JudgeMessages(await OutcomesAsync());
        JudgeRequests();
        await JudgeEventsAsync();
        return _problems;
    }

    private void JudgeMessages(Dictionary<long, RecordOutcome> outcomes)
    {
        var max = simulation.Setup.Template.Provider.Contract.OnUnknown == "retry" && !simulation.Esp.HonoursKeys ? TakenMaxUnderRetry : 1;
        foreach (var person in simulation.People.Ids)
        {
            var taken = simulation.Esp.Accepted.GetValueOrDefault(person);
            var outcome = outcomes.GetValueOrDefault(person);
            if (taken > max)
            {
                _problems.Add($"I2 twice: {person} was taken {taken} times");
            }

            if (taken == 0 && outcome == RecordOutcome.Accepted)
            {
                _problems.Add($"I1 lost: {person} counts as accepted and was never taken");
            }

            if (taken > 0 && outcome is not (RecordOutcome.Accepted or RecordOutcome.Unknown))
            {
                _problems.Add($"I1 truth: {person} was taken and counts as {outcome}");
            }
        }
    }

    private void JudgeRequests()
    {
        foreach (var request in simulation.Esp.Requests)
        {
            foreach (var person in request.People.Where(person => simulation.People.Left.TryGetValue(person, out var left) && request.Head > left))
            {
                _problems.Add($"I4 unsubscribed: {person} is in a request that arrived {Seconds(request.Head!.Value - simulation.People.Left[person])} s after the acknowledgement");
            }

            foreach (var (at, number) in simulation.People.Corrections.Where(made => made.At < request.Head && request.Issues.Any(issue => issue < made.Number)))
            {
                _problems.Add($"I7 stale: a request that arrived {Seconds(request.Head!.Value - at)} s after correction {number} was rendered before it, and before the pause");
            }

            // A resume that may have been under way at the time permits.
            var acts = simulation.People.Acts;
            foreach (var act in acts.Where(act => act.Action is "pause" or "stop" && act.Answered < request.Head))
            {
                if (act.Action == "stop" || !acts.Exists(other => other.Action == "resume" && other.Issued < request.Head && (other.Answered is null || other.Answered > act.Issued)))
                {
                    _problems.Add($"I4 {act.Action}: a request arrived {Seconds(request.Head!.Value - act.Answered!.Value)} s after its acknowledgement");
                }
            }
        }
    }

    private async Task JudgeEventsAsync()
    {
        var events = await ledger.ReadAsync(session => session.QueryAsync(
            "select type, recipient_id from events", static row => (Type: (EventType)row.GetInt64(0), Person: row.GetInt64(1))));
        var forbidden = await ledger.ReadAsync(session => session.QueryAsync(
            "select p.id from profiles p join subscriptions s on s.key = p.key and s.forbids", static row => row.GetInt64(0)));
        _problems.AddRange(simulation.People.Told.Except(events).Select(static lost => $"I5 events: {lost.Type} of {lost.Person} was answered 200 and is not there"));
        _problems.AddRange(simulation.People.Left.Keys.Except(forbidden).Select(static person => $"I5 subscriptions: {person} was told to be unsubscribed and is not"));
        var counts = await ledger.ReadAsync(session => EventStore.CountsAsync(session, SimulationSetup.Campaign));
        var counted = EventCounts.Of(events.Select(static one => one.Type));
        if (counts != counted)
        {
            _problems.Add($"I5 counters: {counts}, the events say {counted}");
        }
    }

    private async Task<Dictionary<long, RecordOutcome>> OutcomesAsync()
    {
        var outcomes = new Dictionary<long, RecordOutcome>();
        var rows = await ledger.ReadAsync(session => session.QueryAsync($"select {BatchRow.Columns} from batches", row => BatchRow.Read(session, row)));
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Ids.Length; i++)
            {
                if ((RecordOutcome)row.Outcomes[i] != RecordOutcome.Moved)
                {
                    outcomes[row.Ids[i]] = (RecordOutcome)row.Outcomes[i];
                }
            }
        }

        return outcomes;
    }

    private static string Seconds(long ticks) => TimeSpan.FromTicks(ticks).TotalSeconds.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture);
}
