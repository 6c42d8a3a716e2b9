using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace GenericHttpEsp.Benchmarks;

/// <summary>The sandbox ESP, by its control API.</summary>
internal sealed class LoadEsp(Uri address) : IDisposable
{
    private const int DelayMilliseconds = 200;
    private readonly HttpClient _client = new() { BaseAddress = address };

    public Uri Endpoint { get; } = new(address, "/send");

    /// <summary>Reports this share of the messages as delivered, and fewer as each of the rest; takes one request in a thousand without an answer.</summary>
    public async Task ReportAsync(double share, string callbackUrl, CancellationToken cancellationToken)
    {
        var behaviour = new JsonObject
        {
            ["acceptThenCloseShare"] = 0.001,
            ["callbacks"] = new JsonObject
            {
                ["callbackUrl"] = callbackUrl,
                ["deliveredShare"] = share,
                ["clickedShare"] = share / 2,
                ["softBounceShare"] = share / 10,
                ["hardBounceShare"] = share / 20,
                ["unsubscribedShare"] = share / 20,
                ["spamShare"] = share / 100,
                ["duplicateShare"] = 0.01,
                ["delayMilliseconds"] = DelayMilliseconds,
            },
        };
        using var response = await _client.PostAsJsonAsync("/_sandbox/behaviour", behaviour, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Until it accepted a message more than <paramref name="before"/>.</summary>
    public async Task AcceptedAsync(long before, CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((long)(await SummaryAsync(cancellationToken))["messagesAccepted"]! <= before)
        {
            await tick.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Until every event was taken; answers the summary then.</summary>
    public async Task<JsonNode> ReportedAsync(CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var summary = await SummaryAsync(cancellationToken);
            if ((long)summary["callbacksWaiting"]! == 0)
            {
                return summary;
            }

            await tick.WaitForNextTickAsync(cancellationToken);
        }
    }

    public async Task<JsonNode> SummaryAsync(CancellationToken cancellationToken) =>
        JsonNode.Parse(await _client.GetStringAsync("/_sandbox/summary", cancellationToken))!;

    public void Dispose() => _client.Dispose();
}
