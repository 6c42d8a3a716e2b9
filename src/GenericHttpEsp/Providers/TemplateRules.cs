namespace GenericHttpEsp.Providers;

/// <summary>What placeholders a template must have and where they may stand.</summary>
internal static class TemplateRules
{
    public static void Check(ProviderContract provider, CompiledParts parts, TemplateProblems problems)
    {
        var names = parts.Everything.OfType<TemplateSegment.Slot>().Select(slot => slot.Name).ToHashSet(StringComparer.Ordinal);
        Mandatory(provider, names, problems);
        if (provider.Batch is not null && provider.RequestType != "GET")
        {
            Batched(provider, parts, problems);
        }
        if (provider.OnUnknown == "retry" && !names.Contains(Placeholders.BatchId))
        {
            problems.Add("/onUnknown", "Repeating an unknown request is safe only if the ESP can recognise it: put $$BatchID where the ESP takes its idempotency key.");
        }
        if (provider.OnUnknown == "retry" && provider.Idempotency is null)
        {
            problems.Add("/idempotency", "onUnknown retry needs idempotency.keyLifetimeSeconds: how long the ESP remembers a $$BatchID.");
        }
        if (provider.Idempotency is not null && !names.Contains(Placeholders.BatchId))
        {
            problems.Add("/idempotency", "There is no $$BatchID in headers or parameters: the ESP sees no idempotency key.");
        }
    }

    private static void Mandatory(ProviderContract provider, HashSet<string> names, TemplateProblems problems)
    {
        var isGet = provider.RequestType == "GET";
        foreach (var name in Placeholders.Mandatory)
        {
            if (!names.Contains(name) && !(isGet && name == Placeholders.Html))
            {
                problems.Add(JsonBodyCompiler.Root, $"$${name} is missing in parameters and headers.");
            }
        }
        if (isGet && names.Contains(Placeholders.Html))
        {
            problems.Warn("$$HTML in a GET request makes addresses that many servers cut off.");
        }
        if (!names.Contains(Placeholders.MessageId) && !names.Contains(Placeholders.MessageToken))
        {
            problems.Warn("$$MessageID is missing: callbacks cannot be attributed to campaigns and recipients.");
        }
    }

    private static void Batched(ProviderContract provider, CompiledParts parts, TemplateProblems problems)
    {
        var body = parts.Body;
        foreach (var segment in (IEnumerable<TemplateSegment>)[.. body.Head, .. body.Tail])
        {
            if (DependsOnRecipient(segment, provider) is var (what, spot))
            {
                problems.Add(spot, $"{what} differs by recipient, but this place is shared by the whole batch: move it into the repeated part.");
            }
        }
        foreach (var segment in parts.Headers.SelectMany(header => header.Value))
        {
            if (DependsOnRecipient(segment, provider) is var (what, spot))
            {
                problems.Add(spot, $"{what} differs by recipient, but a batched request has one set of headers: move it into the repeated part.");
            }
        }
        if (body.RepeatsScalar)
        {
            problems.Warn("All recipients of a batch stand in one list: depending on the ESP they may see each other's addresses.");
        }
    }

    private static (string What, TemplateSpot Spot)? DependsOnRecipient(TemplateSegment segment, ProviderContract provider) => segment switch
    {
        TemplateSegment.Slot { Name: Placeholders.PreferenceUrl } when provider.PreferenceCenter?.Type != "system" => null,
        TemplateSegment.Slot slot when Placeholders.OfRecipient.Contains(slot.Name) => ("$$" + slot.Name, slot.Spot),
        TemplateSegment.Liquid { Template.DependsOnRecipient: true } liquid => ("A value from the profile", liquid.Spot),
        _ => null,
    };
}
