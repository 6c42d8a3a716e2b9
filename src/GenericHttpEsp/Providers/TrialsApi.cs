using GenericHttpEsp.Api;
using Microsoft.AspNetCore.Mvc;

namespace GenericHttpEsp.Providers;

/// <summary><c>/v1/providers/{id}/preview</c> and <c>/test</c>.</summary>
internal static class TrialsApi
{
    private const int BodyBytesMax = 4 * 1024 * 1024;
    private const int AnswerCharactersMax = 64 * 1024;

    public static void MapTrials(this IEndpointRouteBuilder providers)
    {
        providers.MapPost("{id:long}/preview", PreviewAsync).WithBodyLimit(BodyBytesMax)
            .Accepts<TrialRequest>("application/json").Produces<PreviewAnswer>();
        providers.MapPost("{id:long}/test", TestAsync).WithBodyLimit(BodyBytesMax)
            .Accepts<TrialRequest>("application/json").Produces<TestSendAnswer>();
    }

    private static async Task<IResult> PreviewAsync(long id, HttpRequest request, ProviderCatalog catalog, Trial trial, CancellationToken cancellationToken)
    {
        var (provider, outcome, problem) = await MakeAsync(id, request, catalog, trial, ForEyes, cancellationToken);
        return problem ?? Results.Ok(RequestPreview.Of(
            outcome!.Request!, provider!.Contract, RequestTemplate.Compile(provider.Contract).Warnings, outcome.Skipped));
    }

    // The same request but for its secrets: made of a template that holds masks in their place.
    private static RequestTemplate ForEyes(ProviderRuntime provider) => RequestTemplate.Compile(ProviderSecrets.Masked(provider.Contract)).Template!;

    private static async Task<IResult> TestAsync(
        long id, HttpRequest request, ProviderCatalog catalog, Trial trial, [FromServices] ITestSender sender, CancellationToken cancellationToken)
    {
        var (provider, outcome, problem) = await MakeAsync(id, request, catalog, trial, static provider => provider.Template, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }

        var answer = await sender.SendAsync(outcome!.Request!, cancellationToken);
        // Masked before it is cut: half a secret would not be recognised.
        var text = answer.Answer is null ? null : SecretRedaction.Redact(answer.Answer, provider!.Contract);
        return Results.Ok(new TestSendAnswer(
            answer.Sent,
            answer.Status,
            text?.Length > AnswerCharactersMax ? text[..AnswerCharactersMax] : text,
            Math.Round(answer.Took.TotalMilliseconds, 1),
            answer.Failure,
            outcome.Skipped));
    }

    private static async Task<(ProviderRuntime? Provider, TrialOutcome? Outcome, IResult? Problem)> MakeAsync(
        long id, HttpRequest request, ProviderCatalog catalog, Trial trial, Func<ProviderRuntime, RequestTemplate> template, CancellationToken cancellationToken)
    {
        var (body, problem) = await ApiBody.ReadAsync<TrialRequest>(request, BodyBytesMax, cancellationToken);
        if (body is null)
        {
            return (null, null, problem);
        }

        if (await catalog.GetAsync(id, version: null, cancellationToken) is not { } provider)
        {
            return (null, null, ProvidersApi.NotFound(id));
        }

        var outcome = trial.Make(template(provider), body);
        return (provider, outcome, outcome.Request is null ? Problems.Invalid(outcome.Errors) : null);
    }
}
