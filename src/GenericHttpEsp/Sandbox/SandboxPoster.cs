using System.Net.Http.Headers;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>Posts one callback body until it is taken, refused for good, or the attempts are used up. Every attempt is logged.</summary>
internal sealed class SandboxPoster(SandboxOptions options, TimeProvider time, SandboxLog log) : IDisposable
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(options.CallbackTimeoutSeconds),
        MaxResponseContentBufferSize = 1 << 20,
    };

    private long _requests;
    private long _unprocessed;

    public long Requests => Interlocked.Read(ref _requests);

    public long Unprocessed => Interlocked.Read(ref _unprocessed);

    public async Task<bool> PostAsync(List<SandboxEvent> events, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _requests);
        var body = SandboxEventBody.Write(events[0].Shuffle ? Shuffled(events, number) : events);
        for (var attempt = 1; ; attempt++)
        {
            var (status, retryAfter, unprocessed, problem) = await AttemptAsync(events[0].Url, body, cancellationToken);
            _ = log.Append(new SandboxEntry(SandboxEntryKind.Callback, 0)
            {
                Status = status,
                Events = events.Count,
                Attempt = attempt,
                Unprocessed = unprocessed > 0 ? unprocessed : null,
                Problem = problem,
            });
            if (status is >= 200 and < 300)
            {
                Interlocked.Add(ref _unprocessed, unprocessed);
                return true;
            }

            if (status is >= 300 and < 500 and not (408 or 429) || attempt == options.CallbackAttemptsMax)
            {
                return false;
            }

            Interlocked.Increment(ref _requests);
            await Task.Delay(Wait(attempt, number, retryAfter), time, cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<(int? Status, TimeSpan? RetryAfter, int Unprocessed, string? Problem)> AttemptAsync(
        Uri url, byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
            using var response = await _client.PostAsync(url, content, cancellationToken);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            var retryAfter = response.Headers.RetryAfter is { } told ? told.Delta ?? told.Date - time.GetUtcNow() : null;
            return ((int)response.StatusCode, retryAfter, Count(answer), null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (null, null, 0, $"{error.GetType().Name}: {error.Message}");
        }
    }

    private static int Count(byte[] answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("UNPROCESSED_EVENTS", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.GetArrayLength()
                : 0;
        }
        catch (JsonException)
        {
            // Any receiver may answer any text; only ours says what it did not process.
            return 0;
        }
    }

    private TimeSpan Wait(int attempt, long number, TimeSpan? retryAfter)
    {
        var backoff = options.CallbackBackoffMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 30))
            * (0.5 + (SandboxChance.Draw(options.Seed, number, attempt, SandboxChance.Delay) / 2));
        var wait = retryAfter is { } told && told > TimeSpan.Zero ? told.TotalMilliseconds : backoff;
        return TimeSpan.FromMilliseconds(Math.Min(wait, options.CallbackBackoffMaxMilliseconds));
    }

    private List<SandboxEvent> Shuffled(List<SandboxEvent> events, long number) =>
        [.. events.Index().OrderBy(one => SandboxChance.Draw(options.Seed, number, one.Index, SandboxChance.Mix)).Select(one => one.Item)];
}
