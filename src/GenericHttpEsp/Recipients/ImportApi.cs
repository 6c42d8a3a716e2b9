using GenericHttpEsp.Api;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace GenericHttpEsp.Recipients;

/// <summary><c>POST /v1/recipients/import</c>.</summary>
internal static class ImportApi
{
    private const string Lines = "application/x-ndjson";
    private const string Csv = "text/csv";

    public static void MapImport(this IEndpointRouteBuilder routes)
    {
        var limit = routes.ServiceProvider.GetRequiredService<IOptions<RecipientsOptions>>().Value.ImportBytesMax;
        routes.MapPost("/v1/recipients/import", ImportAsync).WithTags("Recipients").WithBodyLimit(limit)
            .Accepts<RecipientRequest>(Lines, Csv).Produces<ImportAnswer>();
    }

    private static async Task<IResult> ImportAsync(
        HttpRequest request, ProfileStore profiles, RecipientKey keys, IOptions<RecipientsOptions> options, CancellationToken cancellationToken)
    {
        var list = request.Query["list"].ToString();
        if (list.Length > 0 && RecipientLimits.ListNameProblem(list) is { } unfit)
        {
            return Problems.Invalid("list", unfit);
        }

        var run = new ImportRun(profiles, keys, options.Value, list.Length == 0 ? null : list);
        switch (MediaType(request.ContentType))
        {
            case Lines:
                await ImportReader.ReadLinesAsync(request.Body, run, options.Value.ImportLineBytesMax, cancellationToken);
                return Results.Ok(run.Answer);
            case Csv:
                return await ImportReader.ReadCsvAsync(request.Body, run, options.Value.ImportLineBytesMax, cancellationToken) is { } problem
                    ? Problems.Invalid("", problem)
                    : Results.Ok(run.Answer);
            default:
                return Problems.WrongContentType($"Send {Lines} or {Csv}, in UTF-8.");
        }
    }

    private static string? MediaType(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (!type.Charset.HasValue || type.Charset.Value.Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            ? type.MediaType.Value?.ToLowerInvariant()
            : null;
}
