namespace GenericHttpEsp.Providers;

/// <summary>What came of saving a provider.</summary>
/// <param name="Template">Null when there are errors.</param>
/// <param name="Errors">JSON pointer into the provider to messages.</param>
/// <param name="Warnings">Worth showing; they do not stop anything.</param>
internal sealed record TemplateCompilation(RequestTemplate? Template, IReadOnlyDictionary<string, string[]> Errors, IReadOnlyList<string> Warnings);

/// <summary>What came of putting a campaign into a provider's template.</summary>
/// <param name="Template">Null when there are errors.</param>
/// <param name="Errors">JSON pointer into the campaign to messages.</param>
internal sealed record TemplateBinding(BoundTemplate? Template, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>A provider's template, compiled. Immutable, shared by threads. Holds the provider's secrets: never logged, never serialised.</summary>
internal sealed class RequestTemplate
{
    internal RequestTemplate(ProviderContract provider, CompiledParts parts)
    {
        Provider = provider;
        Parts = parts;
        CustomPlaceholders = [.. parts.Everything.OfType<TemplateSegment.Slot>().Select(slot => slot.Name).Where(Placeholders.IsCustom).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Names of the values a campaign has to give, without the <c>$$</c>.</summary>
    public IReadOnlyList<string> CustomPlaceholders { get; }

    internal ProviderContract Provider { get; }

    internal CompiledParts Parts { get; }

    public static TemplateCompilation Compile(ProviderContract provider)
    {
        var (template, problems) = TemplateCompiler.Compile(provider);
        return new(template, problems.Errors, problems.Warnings);
    }

    /// <summary>Parses the campaign's texts once and folds everything that is the same for the whole run into literal bytes.</summary>
    public TemplateBinding Bind(CampaignContent content, RunFacts run)
    {
        var problems = new TemplateProblems();
        var bound = new TemplateBinder(this, content, run, problems).Bind();
        return new(bound, problems.Errors);
    }
}
