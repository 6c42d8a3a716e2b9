using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Api;

/// <summary>
/// <c>Idempotency-Key</c> on calls that create: for 24 hours the same key with the same request answers what the first one answered. Only successes are
/// kept: a refusal created nothing and may be corrected under the same key. The handler reads its body by <see cref="ApiBody"/>.
/// </summary>
internal sealed class IdempotencyFilter(IdempotencyStore store) : IEndpointFilter
{
    private const int KeyLengthMax = 255;

    /// <summary>A longer answer is repeated without its body, with the same status and location.</summary>
    private const int AnswerBytesMax = 1 << 20;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        var header = request.Headers["Idempotency-Key"];
        if (header.Count == 0)
        {
            return await next(context);
        }

        if (header.Count != 1 || header[0] is not { Length: > 0 and <= KeyLengthMax } key || key.Any(char.IsControl))
        {
            return Problems.Unreadable($"Idempotency-Key must be one value of 1 to {KeyLengthMax} characters.");
        }

        var (body, problem) = await ApiBody.BytesAsync(request, BodyLimitRoutes.Of(context.HttpContext), context.HttpContext.RequestAborted);
        if (body is null)
        {
            return problem;
        }

        request.Body = new MemoryStream(body);
        var call = new IdempotentCall(
            Hash($"{ApiGuard.CallerOf(context.HttpContext)}\n{key}", []), Hash($"{request.Method}\n{request.Path}{request.QueryString}\n", body));
        var earlier = await store.BeginAsync(call, context.HttpContext.RequestAborted);
        return earlier.State switch
        {
            IdempotencyState.Mine => await RunAsync(call, context, next),
            IdempotencyState.OtherRequest => Problems.Invalid("", "This Idempotency-Key was used for another request."),
            IdempotencyState.Running => Problems.Conflict("The first request with this Idempotency-Key is still running."),
            _ => new StoredAnswer(earlier.Answer!, isReplay: true),
        };
    }

    private async Task<object?> RunAsync(IdempotentCall call, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        // Not cancelled when the caller goes away: what was created must be recorded.
        StoredAnswerBody? answer = null;
        try
        {
            answer = await CaptureAsync(context, next);
        }
        finally
        {
            if (answer is { Status: >= 200 and < 300 })
            {
                await store.CompleteAsync(call, answer.Body?.Length > AnswerBytesMax ? answer with { Body = null } : answer, CancellationToken.None);
            }
            else
            {
                await store.ForgetAsync(call, CancellationToken.None);
            }
        }

        return new StoredAnswer(answer, isReplay: false);
    }

    private static async Task<StoredAnswerBody> CaptureAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var response = context.HttpContext.Response;
        var wire = response.Body;
        using var buffer = new MemoryStream();
        response.Body = buffer;
        try
        {
            var result = await next(context);
            await (result as IResult ?? Results.Ok(result)).ExecuteAsync(context.HttpContext);
            await response.BodyWriter.FlushAsync(CancellationToken.None);
        }
        finally
        {
            response.Body = wire;
        }

        return new StoredAnswerBody(response.StatusCode, response.ContentType, response.Headers.Location, buffer.ToArray());
    }

    private static byte[] Hash(string head, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(head));
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private sealed class StoredAnswer(StoredAnswerBody answer, bool isReplay) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = answer.Status;
            response.ContentType = answer.ContentType;
            if (answer.Location is not null)
            {
                response.Headers.Location = answer.Location;
            }

            if (isReplay)
            {
                response.Headers["Idempotency-Replayed"] = "true";
            }

            response.ContentLength = answer.Body?.Length ?? 0;
            await response.Body.WriteAsync(answer.Body ?? [], httpContext.RequestAborted);
        }
    }
}

internal static class IdempotencyRoutes
{
    /// <summary>Honours <c>Idempotency-Key</c> on this route.</summary>
    public static RouteHandlerBuilder WithIdempotency(this RouteHandlerBuilder route) => route.AddEndpointFilter<IdempotencyFilter>();
}
