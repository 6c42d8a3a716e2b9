using GenericHttpEsp.Api;
using GenericHttpEsp.Providers;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Callbacks;

/// <summary><c>POST /callbacks/{token}</c>: what ESPs tell. The token is the permission; it is never logged.</summary>
internal sealed partial class CallbacksApi(
    ProviderCatalog providers, CallbackGate gate, CallbackIntake intake, IOptions<CallbacksOptions> options, ILogger<CallbacksApi> logger)
{
    private const int RetryAfterOverloadSeconds = 1;
    private const int RetryAfterTroubleSeconds = 5;

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/callbacks/{token}", static (string token, HttpRequest request, CallbacksApi api, CancellationToken cancellationToken) =>
            api.PostAsync(token, request, cancellationToken))
        .WithBodyLimit(routes.ServiceProvider.GetRequiredService<IOptions<CallbacksOptions>>().Value.BodyBytesMax)
        .WithTags("Callbacks").Produces<CallbackAnswer>();

    private async Task<IResult> PostAsync(string token, HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (await providers.FindByTokenAsync(token, cancellationToken) is not { } owner)
            {
                return Problems.NotFound("No provider has this callback address.");
            }

            // Before the gate, which would ask for it again and again: no later moment takes it.
            if (request.ContentLength > options.Value.BodyBytesMax)
            {
                return Problems.TooLarge(options.Value.BodyBytesMax);
            }

            using var entry = gate.TryEnter(owner.ProviderId, request.ContentLength);
            return entry is null
                ? Problems.TooMany(RetryAfterOverloadSeconds, "More callbacks than this server takes at once. Send the same body again.")
                : await TakeAsync(owner, request, cancellationToken);
        }
        catch (Exception failure) when (failure is not BadHttpRequestException and not OperationCanceledException)
        {
            // Whatever it is, the body is not wrong: the ESP keeps it and repeats it, until somebody has mended this server.
            LogFailed(failure);
            return Problems.Busy(RetryAfterTroubleSeconds, "The events could not be stored. Send the same body again.");
        }
    }

    private async Task<IResult> TakeAsync(CallbackOwner owner, HttpRequest request, CancellationToken cancellationToken)
    {
        var (bytes, problem) = await ApiBody.BytesAsync(request, options.Value.BodyBytesMax, cancellationToken);
        if (bytes is null)
        {
            return problem!;
        }

        if (CallbackReader.Read(bytes, out var refusal) is not { } body)
        {
            return Problems.Unreadable(refusal!);
        }

        var verdicts = await intake.TakeAsync(body.Events, owner.ProviderId, owner.AcceptUnsignedMeta, cancellationToken);
        return Results.Ok(CallbackIntake.Answer(body.Events, verdicts));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A callback body could not be stored; its sender was told to repeat it")]
    private partial void LogFailed(Exception failure);
}
