using System.Collections.Concurrent;
using System.Globalization;

namespace GenericHttpEsp.Benchmarks;

/// <summary>
/// What follows a campaign: the ESP's events, people who leave or are erased, lost answers that a person settles, and the next campaign to everybody, of whom
/// some may get no mail by now.
/// </summary>
internal static class LoadAftermath
{
    private const int Leaving = 2000;
    private const int Erased = 200;
    private const int AtOnce = 16;

    public static async Task<IReadOnlyList<(string Name, string Value)>> RunAsync(
        LoadOptions options, LoadClient client, LoadEsp esp, long provider, long campaign, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var begun = time.GetTimestamp();
        var summary = await esp.ReportedAsync(cancellationToken);
        var lag = time.GetElapsedTime(begun);
        var stats = await client.StatsAsync(campaign, cancellationToken);
        var rows = new List<(string, string)>
        {
            ("events posted, taken, unprocessed", Text($"{(long)summary["callbacksQueued"]!:N0}, {(long)summary["callbacksOk"]!:N0}, {(long)summary["callbacksUnprocessed"]!:N0}")),
            ("last event taken after the campaign's end", Text($"{lag.TotalSeconds:N1} s")),
            ("delivered, clicked, hard bounces, unsubscribed, unknown", Text($"{(long)stats["delivered"]!:N0}, {(long)stats["clicked"]!:N0}, {(long)stats["hardBounce"]!:N0}, {(long)stats["unsubscribed"]!:N0}, {(long)stats["unknown"]!:N0}")),
        };

        rows.Add(("unsubscribe, acknowledged", await EachAsync(options, Leaving, 0, client.UnsubscribeAsync, cancellationToken)));
        rows.Add(("erase a person", await EachAsync(options, Erased, 1, client.EraseAsync, cancellationToken)));

        begun = time.GetTimestamp();
        var resolved = await client.ResolveAsync(campaign, cancellationToken);
        rows.Add(("settle the unknown", Text($"{resolved:N0} in {time.GetElapsedTime(begun).TotalMilliseconds:N0} ms")));

        var before = (long)(await esp.SummaryAsync(cancellationToken))["messagesAccepted"]!;
        var next = await client.CampaignAsync(provider, options, cancellationToken);
        begun = time.GetTimestamp();
        var accepted = esp.AcceptedAsync(before, cancellationToken);
        await client.StartAsync(next, cancellationToken);
        var start = time.GetElapsedTime(begun);
        await accepted;
        rows.Add(("next campaign: start, first message accepted after", Text($"{start.TotalMilliseconds:N0} ms, {time.GetElapsedTime(begun).TotalMilliseconds:N0} ms")));
        begun = time.GetTimestamp();
        await client.StopAsync(next, cancellationToken);
        stats = await client.EndAsync(next, cancellationToken);
        rows.Add(("next campaign: stopped within, accepted and skipped by then", Text($"{time.GetElapsedTime(begun).TotalMilliseconds:N0} ms, {(long)stats["accepted"]!:N0}, {(long)stats["skipped"]!:N0}")));
        return rows;
    }

    /// <summary>People all over the audience, some at once; answers the rate and the slowest.</summary>
    private static async Task<string> EachAsync(LoadOptions options, int people, int offset, Func<int, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var count = Math.Min(people, options.Recipients);
        var step = options.Recipients / count;
        var took = new ConcurrentBag<TimeSpan>();
        var begun = time.GetTimestamp();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (i, cancel) =>
            {
                var one = time.GetTimestamp();
                await act(((i * step) + offset) % options.Recipients, cancel);
                took.Add(time.GetElapsedTime(one));
            });
        return Text($"{count / time.GetElapsedTime(begun).TotalSeconds:N0}/s by {AtOnce} callers, the slowest {took.Max().TotalMilliseconds:N0} ms");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
