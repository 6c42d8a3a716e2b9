using System.Net.Sockets;
using GenericHttpEsp.Providers;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Dispatch;

/// <summary>Makes one request and tells how far it came. No retry, no redirect: whoever asks decides what an answer means.</summary>
internal sealed class EspClient(GuardedHandler handler, IOptions<DispatchOptions> options, TimeProvider time) : IDisposable
{
    // A write under way ends when its connection is closed; this is only a bound.
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(1);

    // An invoker, since HttpClient brings its own time-out on the real clock and buffers answers.
    private readonly HttpMessageInvoker _invoker = new(handler.Create(), disposeHandler: true);

    /// <summary>Sends within the gate's window. Never throws for trouble on the network.</summary>
    /// <param name="request">Its segments stay borrowed until <see cref="EspAnswer.BodyReleased"/>.</param>
    /// <param name="gate">Passed or closed when this returns; the caller disposes it.</param>
    /// <param name="cancellationToken">Breaks the request off: what was handed over completely is then unknown.</param>
    public async Task<EspAnswer> SendAsync(AssembledRequest request, SendGate gate, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        using var timeout = new CancellationTokenSource(options.Value.AttemptTimeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var body = WireBody.Of(request);
        using var content = new GatedContent(body.Segments, body.Length, gate);
        using var message = Message(request, content);
        EspAnswer answer;
        var isEarly = gate.IsEarly;
        using (gate.OnMissed(stop.Cancel))
        {
            try
            {
                using var response = await _invoker.SendAsync(message, stop.Token);
                answer = await ReadAsync(response, stop.Token);
            }
            catch (Exception failure)
            {
                // Whatever broke: once bytes may be out, how many there are is the truth that counts.
                answer = Judge(failure, content, gate, isEarly);
            }
        }

        gate.TryClose();
        var released = await content.ReleaseAsync(ReleasePatience, time);
        if (released)
        {
            body.Dispose();
        }

        return answer with { BytesHandedOver = content.HandedOver, BodyReleased = released, Took = time.GetElapsedTime(start) };
    }

    public void Dispose() => _invoker.Dispose();

    private static HttpRequestMessage Message(AssembledRequest request, GatedContent content)
    {
        var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Uri)
        {
            Version = System.Net.HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        foreach (var (name, value, _) in request.Headers)
        {
            // The validating Add would reject harmless values of ESPs; what it protects from is checked here.
            if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
            {
                throw new ArgumentException($"The value of header {name} has a line break.", nameof(request));
            }

            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        // Waiting for "100 Continue" would put the head on the wire before the gate.
        message.Headers.ExpectContinue = false;
        return message;
    }

    private async Task<EspAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var answer = new EspAnswer(EspAnswerKind.Answered)
        {
            Status = (int)response.StatusCode,
            RetryAfter = RetryAfterHeader.Parse(
                response.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? values.FirstOrDefault() : null, time.GetUtcNow()),
            Detail = $"status {(int)response.StatusCode}",
        };
        var max = options.Value.AnswerBytesMax;
        using var body = new MemoryStream();
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[Math.Min(8192, max + 1)];
            int count;
            while (body.Length <= max && (count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                body.Write(buffer, 0, count);
            }
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or OperationCanceledException)
        {
            return answer with { Body = Bytes(body, max), BodyTruncated = true, Detail = $"{answer.Detail}, then {Describe(failure)}" };
        }

        return answer with { Body = Bytes(body, max), BodyTruncated = body.Length > max };
    }

    private static ReadOnlyMemory<byte> Bytes(MemoryStream body, int max) => body.GetBuffer().AsMemory(0, (int)Math.Min(body.Length, max));

    private EspAnswer Judge(Exception failure, GatedContent content, SendGate gate, bool isEarly)
    {
        if (Find<EarlyAnswerException>(failure) is { Answer: { Status: > 0 } early })
        {
            return new EspAnswer(EspAnswerKind.Answered)
            {
                Status = early.Status,
                RetryAfter = RetryAfterHeader.Parse(early.RetryAfter, time.GetUtcNow()),
                Body = early.Body,
                BodyTruncated = true,
                Detail = $"status {early.Status} before the whole request was sent",
            };
        }

        if (!content.HasPassed)
        {
            // Closing it here succeeds only if its window is still open: then it was the connection that failed.
            if (gate.TryClose() && !content.WasAsked)
            {
                return new EspAnswer(EspAnswerKind.NotSent) { Detail = Describe(failure) };
            }

            // Most of the window went by and there was no connection to ask for the first byte: a black hole, and no reason to claim again at once.
            return isEarly && !content.WasAsked
                ? new EspAnswer(EspAnswerKind.NotSent) { Detail = "connect: none within the send window" }
                : new EspAnswer(EspAnswerKind.GateMissed) { Detail = "the send window was over" };
        }

        return new EspAnswer(content.IsAllHandedOver ? EspAnswerKind.NoAnswer : EspAnswerKind.NotSent) { Detail = Describe(failure) };
    }

    private static string Describe(Exception failure) => failure switch
    {
        OperationCanceledException => "time-out",
        _ when Find<RefusedAddressException>(failure) is { } refused => refused.Message,
        _ when Find<ConnectTimeoutException>(failure) is { } slow => slow.Message,
        _ when Find<SocketException>(failure) is { } socket => $"socket: {socket.SocketErrorCode}",
        HttpRequestException http => $"http: {http.HttpRequestError}",
        _ => failure.GetType().Name,
    };

    private static T? Find<T>(Exception failure)
        where T : Exception
    {
        for (var current = failure; current is not null; current = current.InnerException)
        {
            if (current is T found)
            {
                return found;
            }
        }

        return null;
    }
}
