using System.Text.Json;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Compiles a provider once, when it is saved. Reports every error; a template exists only without any.</summary>
internal static class TemplateCompiler
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonBodyCompiler.DepthMax };

    public static (RequestTemplate? Template, TemplateProblems Problems) Compile(ProviderContract provider)
    {
        var problems = new TemplateProblems();
        ProviderRules.Check(provider, problems);
        HeaderRules.Check(provider, problems);
        var parts = Parts(provider, problems);
        TemplateRules.Check(provider, parts, problems);
        return (problems.HasErrors ? null : new RequestTemplate(provider, parts), problems);
    }

    private static CompiledParts Parts(ProviderContract provider, TemplateProblems problems)
    {
        using var writer = new SegmentWriter();
        var (body, query) = (CompiledBody.Nothing, (IReadOnlyList<TemplateSegment>)[]);
        try
        {
            if (Parameters(provider, problems) is { } parameters)
            {
                (body, query) = IsGet(provider)
                    ? (body, new FlatCompiler(ValuePlace.QueryComponent, writer, problems).Query(parameters))
                    : (Body(provider, parameters, writer, problems), query);
            }
        }
        catch (InvalidOperationException)
        {
            problems.Add(JsonBodyCompiler.Root, "A string or key holds half of a surrogate pair (\\ud800 to \\udfff alone): that is no character.");
        }
        return new(body, query, [.. (provider.Headers ?? []).Select((header, index) => Header(header, index, problems))]);
    }

    private static bool IsGet(ProviderContract provider) => provider.RequestType == "GET";

    private static CompiledBody Body(ProviderContract provider, JsonElement parameters, SegmentWriter writer, TemplateProblems problems)
    {
        switch (provider.BodyFormat)
        {
            case "form":
                return new FlatCompiler(ValuePlace.FormValue, writer, problems).Form(parameters, provider.Batch);
            case "xml" or "text" when parameters.ValueKind != JsonValueKind.String:
                problems.Add(JsonBodyCompiler.Root, $"The parameters of format {provider.BodyFormat} are one string: the body with its placeholders.");
                return CompiledBody.Nothing;
            case "xml":
                return new XmlBodyCompiler(writer, problems).Compile(parameters.GetString()!, provider.Batch);
            case "text":
                return TextBodyCompiler.Compile(parameters.GetString()!, provider.Batch, writer, problems);
            default:
                return new JsonBodyCompiler(writer, problems).Compile(parameters, provider.Batch);
        }
    }

    private static JsonElement? Parameters(ProviderContract provider, TemplateProblems problems)
    {
        if (provider.Parameters is not { } parameters || parameters.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            problems.Add(JsonBodyCompiler.Root, "The parameters are missing: give the body (or query) that the ESP expects, with placeholders such as $$To.");
            return null;
        }
        if (IsGet(provider) || provider.BodyFormat is not (null or "json") || parameters.ValueKind != JsonValueKind.String)
        {
            return parameters;
        }
        try
        {
            using var document = JsonDocument.Parse(parameters.GetString()!, Strict);
            foreach (var name in ParameterSecrets.Names(document.RootElement))
            {
                problems.Warn($"'{name}' looks like a secret: give the parameters as JSON instead of as text, so that it is stored encrypted and masked.");
            }
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            problems.Add(JsonBodyCompiler.Root, $"This is not JSON: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}: {Shortened(error.Message)}");
            return null;
        }
    }

    private static string Shortened(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static CompiledHeader Header(HeaderContract header, int index, TemplateProblems problems)
    {
        using var writer = new SegmentWriter();
        TemplateText.Compile(header.Value ?? "", ValuePlace.HeaderValue, $"/headers/{index}/value", writer, problems);
        return new(header.Name ?? "", header.IsSecret, writer.Take());
    }
}

internal sealed record CompiledHeader(string Name, bool Secret, IReadOnlyList<TemplateSegment> Value);

internal sealed record CompiledParts(CompiledBody Body, IReadOnlyList<TemplateSegment> Query, IReadOnlyList<CompiledHeader> Headers)
{
    public IEnumerable<TemplateSegment> Everything =>
        [.. Body.Head, .. Body.Record, .. Body.Tail, .. Query, .. Headers.SelectMany(header => header.Value)];
}
