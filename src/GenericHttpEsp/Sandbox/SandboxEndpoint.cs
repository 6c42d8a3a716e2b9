using System.Security.Cryptography;

namespace GenericHttpEsp.Sandbox;

/// <summary>The send endpoint, from the head of a request to its answer. Everything is logged before anybody outside can see its effect.</summary>
internal sealed class SandboxEndpoint(SandboxEsp esp)
{
    private readonly SandboxPaths _paths = SandboxPaths.From(esp.Options);

    public async Task HandleAsync(HttpContext context)
    {
        var number = esp.Log.Head(context.Request.Method, context.Request.Path);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, esp.Stopping);
        try
        {
            var answered = await ServeAsync(context, number, gone.Token);
            _ = esp.Log.Append(new SandboxEntry(answered ? SandboxEntryKind.Answered : SandboxEntryKind.Aborted, number));
        }
        catch (Exception error)
        {
            _ = esp.Log.Append(new SandboxEntry(SandboxEntryKind.Aborted, number) { Problem = $"{error.GetType().Name}: {error.Message}" });
            context.Abort();
            if (error is not (OperationCanceledException or IOException))
            {
                throw;
            }
        }
    }

    private async Task<bool> ServeAsync(HttpContext context, long number, CancellationToken gone)
    {
        var behaviour = esp.Behaviour;
        var told = SandboxFaults.For(behaviour, esp.Options.Seed, number);
        await esp.Gate.PassAsync(SandboxHoldPoint.BeforeBody, gone);
        if (told.Action == SandboxAction.CloseBeforeBody)
        {
            esp.Tally.Refuse(byBehaviour: true, 0);
            await EndAsync(number, SandboxVerdict.Cut("told to close"), null, null);
            context.Abort();
            return false;
        }

        var verdict = await JudgeAsync(context.Request, number, behaviour, told, gone);
        await esp.Gate.PassAsync(SandboxHoldPoint.BeforeAnswer, gone);
        if (SandboxFaults.Latency(behaviour, esp.Options.Seed, number) is var latency && latency > TimeSpan.Zero)
        {
            await Task.Delay(latency, esp.Time, gone);
        }

        return await AnswerAsync(context, verdict, gone);
    }

    private async Task<SandboxVerdict> JudgeAsync(
        HttpRequest request, long number, SandboxBehaviour behaviour, SandboxAnswer told, CancellationToken gone)
    {
        if (Unreadable(request, behaviour) is { } unreadable)
        {
            return await RefuseUnreadAsync(number, unreadable);
        }

        var bytesMax = SandboxBuffer.IsGzip(request) ? esp.Options.BodyBytesMax : BodyBytesMax(behaviour);
        SandboxBuffer? buffer;
        try
        {
            buffer = await SandboxBuffer.ReadAsync(request, bytesMax, gone);
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            buffer = null;
        }
        catch (InvalidDataException error)
        {
            return await RefuseUnreadAsync(number, SandboxVerdict.Refusal(StatusCodes.Status400BadRequest, $"broken gzip: {error.Message}"));
        }

        if (buffer is null)
        {
            return await RefuseUnreadAsync(number, SandboxVerdict.Refusal(StatusCodes.Status413PayloadTooLarge, $"over {bytesMax} bytes"));
        }

        using (buffer)
        {
            esp.Requests.Keep(number, request, buffer.Body);
            var records = Records(request, buffer.Body, behaviour);
            var hash = behaviour.HonourBatchKey && records.BatchKey is not null ? SHA256.HashData(buffer.Body) : null;
            var verdict = esp.Judge.Decide(behaviour, told, number, records, hash);
            await EndAsync(number, verdict, records, buffer.Body.Length);
            if (verdict.Accepts)
            {
                esp.Callbacks.Plan(behaviour.Callbacks, number, records, verdict.Refused);
            }

            return verdict;
        }
    }

    private static SandboxVerdict? Unread(int status, string problem) => SandboxVerdict.Refusal(status, problem) with { BodyUnread = true };

    private SandboxVerdict? Unreadable(HttpRequest request, SandboxBehaviour behaviour)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        return !HttpMethods.IsGet(request.Method) && !HttpMethods.IsPost(request.Method)
            ? Unread(StatusCodes.Status405MethodNotAllowed, "neither GET nor POST")
            : encoding is not ("" or "identity") && !SandboxBuffer.IsGzip(request)
            ? Unread(StatusCodes.Status415UnsupportedMediaType, "of encodings only gzip is understood")
            : request.ContentLength > BodyBytesMax(behaviour)
            ? Unread(StatusCodes.Status413PayloadTooLarge, $"over {BodyBytesMax(behaviour)} bytes")
            : null;
    }

    private long BodyBytesMax(SandboxBehaviour behaviour) => Math.Min(behaviour.MaxBodyBytes ?? long.MaxValue, esp.Options.BodyBytesMax);

    private async Task<SandboxVerdict> RefuseUnreadAsync(long number, SandboxVerdict verdict)
    {
        esp.Tally.Refuse(byBehaviour: false, 0);
        esp.Tally.Note(verdict.Problem!);
        await EndAsync(number, verdict, null, null);
        return verdict with { BodyUnread = true };
    }

    private SandboxRecords Records(HttpRequest request, ReadOnlySpan<byte> body, SandboxBehaviour behaviour)
    {
        var keep = esp.Options.KeepAddresses || behaviour.RefusesAny || behaviour.Callbacks.IsActive;
        var records = new SandboxRecords(keep, behaviour.RefuseForeignMeta);
        if (request.Headers[esp.Options.BatchKeyHeader].FirstOrDefault() is { Length: > 0 } key)
        {
            records.BatchKey = key;
        }

        SandboxBodies.Read(request, body, _paths, behaviour.RefuseLeftovers, records);
        return records;
    }

    /// <summary>With a file, comes back when the entry is in it: what was answered is on record.</summary>
    private Task EndAsync(long number, SandboxVerdict verdict, SandboxRecords? records, long? bodyBytes)
    {
        var written = esp.Log.Append(new SandboxEntry(SandboxEntryKind.End, number)
        {
            Status = verdict.Status,
            BodyBytes = bodyBytes,
            Records = records?.Count,
            Accepted = verdict.Accepts ? records!.Count - verdict.Refused.Count : 0,
            Addresses = esp.Options.KeepAddresses ? records?.Addresses : null,
            MessageIds = esp.Options.KeepAddresses ? records?.MessageIds : null,
            RefusedRecords = verdict.Refused.Count > 0 ? [.. verdict.Refused.Order()] : null,
            BatchKey = records?.BatchKey,
            Repetition = verdict.Repetition ? true : null,
            Problem = verdict.Problem,
        });
        return esp.Options.FlushBeforeAnswer ? written : Task.CompletedTask;
    }

    private static async Task<bool> AnswerAsync(HttpContext context, SandboxVerdict verdict, CancellationToken gone)
    {
        var response = context.Response;
        if (verdict.Status is not { } status)
        {
            context.Abort();
            return false;
        }

        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = verdict.Body.Length;
        if (verdict.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (verdict.BodyUnread)
        {
            response.Headers.Connection = "close";
        }

        if (verdict.CutAnswer)
        {
            await response.Body.WriteAsync(verdict.Body[..(verdict.Body.Length / 2)], gone);
            await response.Body.FlushAsync(gone);
            context.Abort();
            return false;
        }

        await response.Body.WriteAsync(verdict.Body, gone);
        await response.CompleteAsync();
        return !gone.IsCancellationRequested;
    }
}
