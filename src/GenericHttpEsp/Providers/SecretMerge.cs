using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>What a client leaves out, masks or nulls, against what is stored.</summary>
internal static class SecretMerge
{
    /// <summary>The contract with the secrets it will have; what cannot be told is an error at the secret's pointer.</summary>
    /// <param name="contract">As it was sent.</param>
    /// <param name="nulls">Pointers of secrets that were sent as null.</param>
    /// <param name="stored">With its secrets; null for a new provider.</param>
    /// <param name="problems">Takes the errors.</param>
    public static ProviderContract Apply(ProviderContract contract, IReadOnlySet<string> nulls, ProviderContract? stored, TemplateProblems problems)
    {
        var known = stored is null ? [] : ProviderSecrets.Of(stored).ToDictionary(member => member.Name, member => member.Value ?? "");
        var moved = stored is not null && ProviderSecrets.Origin(stored.Endpoint) != ProviderSecrets.Origin(contract.Endpoint);
        RefuseMasksInTheOpen(contract, problems);
        return ProviderSecrets.Replace(contract, member =>
        {
            if (member.Value is not null && !SecretMask.Is(member.Value))
            {
                return member.Value;
            }

            if (stored is not null && nulls.Contains(member.Pointer))
            {
                return "";
            }

            if (known.TryGetValue(member.Name, out var kept) && (!moved || kept.Length == 0))
            {
                return kept;
            }

            if (known.ContainsKey(member.Name))
            {
                problems.Add(member.Pointer, "The endpoint's host is another one now: give the secret again, it belongs to the old host.");
                return "";
            }

            if (member.Value is not null)
            {
                problems.Add(member.Pointer, "This is a mask, and there is no secret stored behind it: give the secret itself.");
                return "";
            }

            // The rules of the template say what is missing.
            return null;
        });
    }

    /// <summary>Pointers of the secrets that a body holds as null: absent and null read alike, but mean different things here.</summary>
    public static IReadOnlySet<string> Nulls(JsonElement body)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        if (IsNull(Member(body, "authentication"), "password"))
        {
            found.Add("/authentication/password");
        }

        if (Member(body, "headers") is { ValueKind: JsonValueKind.Array } headers)
        {
            found.UnionWith(headers.EnumerateArray().Index().Where(header => IsNull(header.Item, "value")).Select(header => $"/headers/{header.Index}/value"));
        }

        return found;
    }

    // Stored as it is, the stars would be sent to the ESP; the secret in their place would be readable.
    private static void RefuseMasksInTheOpen(ProviderContract contract, TemplateProblems problems)
    {
        foreach (var (index, header) in (contract.Headers ?? []).Index())
        {
            if (header is { IsSecret: false } && SecretMask.Is(header.Value))
            {
                problems.Add($"/headers/{index}/value", "This is a mask: give the value itself when the header is no longer secret.");
            }
        }

        foreach (var name in ParameterSecrets.MasksInTheOpen(contract.Parameters))
        {
            problems.Add(JsonBodyCompiler.Root + TemplateProblems.Step(name), "This is a mask, but nothing of this name is kept as a secret: give the value itself.");
        }
    }

    private static bool IsNull(JsonElement? parent, string name) => parent is { } element && Member(element, name) is { ValueKind: JsonValueKind.Null };

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;
}
