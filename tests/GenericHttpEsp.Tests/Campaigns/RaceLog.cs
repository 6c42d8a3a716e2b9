using System.Collections.Concurrent;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>One act of one client, by the clock of the sandbox's log.</summary>
internal sealed record RaceAct(string Action, long Issued, long Answered, bool IsDone);

/// <summary>What several clients did to one campaign, against what was sent for it.</summary>
internal sealed class RaceLog
{
    // From the gate to the log of a sandbox that shares two busy cores; a campaign that goes on sends far longer.
    private const long OnTheWayMicroseconds = 250_000;
    private readonly ConcurrentQueue<RaceAct> _acts = [];

    public static long Now => TimeProvider.System.GetElapsedTime(0).Ticks / TimeSpan.TicksPerMicrosecond;

    public async Task ActAsync(HttpClient client, long campaign, string action)
    {
        var issued = Now;
        using var answer = await client.PostAsync($"/v1/campaigns/{campaign}/{action}", null);
        Assert.InRange((int)answer.StatusCode, 200, 409);
        _acts.Enqueue(new RaceAct(action, issued, Now, answer.IsSuccessStatusCode));
    }

    public int Done(string action) => _acts.Count(act => act.IsDone && act.Action == action);

    /// <summary>Requests that began after an acknowledged stop, or after an acknowledged pause that no resume can have ended.</summary>
    public int Late(IEnumerable<long> heads) => heads.Count(head => _acts.Any(act => act.IsDone && head > act.Answered + OnTheWayMicroseconds
        && (act.Action == "stop" || (act.Action == "pause" && !_acts.Any(other => other.Action == "resume" && other.Answered > act.Issued && other.Issued < head)))));

    /// <summary>The heads of requests by campaign, which their metas name.</summary>
    public static ILookup<long, (long Head, SandboxEntry End)> Requests(IReadOnlyList<SandboxEntry> log)
    {
        var heads = log.Where(static entry => entry.Kind == SandboxEntryKind.Head).ToDictionary(static entry => entry.Request, static entry => entry.MonotonicMicroseconds);
        return log.Where(static entry => entry.Kind == SandboxEntryKind.End)
            .ToLookup(static entry => Field(entry.MessageIds![0]!, 2), entry => (heads[entry.Request], entry));
    }

    public static long Field(string meta, int field) => long.Parse(meta.Split('|')[field], System.Globalization.CultureInfo.InvariantCulture);
}
