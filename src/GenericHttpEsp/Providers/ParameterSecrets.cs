using System.Text.Json;

namespace GenericHttpEsp.Providers;

/// <summary>
/// Secrets that an ESP wants among the parameters (Mandrill's <c>key</c>) or in the query of its address: known by their names, since parameters have no
/// member that marks them. Only whole values without placeholders, at the top of a JSON object, form or query.
/// </summary>
internal static class ParameterSecrets
{
    private static readonly HashSet<string> WholeNames = new(StringComparer.OrdinalIgnoreCase) { "key", "pass", "pwd", "auth", "access_key", "access-key", "accesskey" };

    public static bool IsCredential(string name) => WholeNames.Contains(name) || HeaderContract.IsCredential(name);

    /// <summary>Names of the members that are secrets.</summary>
    public static IReadOnlyList<string> Names(JsonElement parameters) => Names(parameters, IsSecret);

    /// <summary>Names of the members that are no secrets but hold what is shown instead of one.</summary>
    public static IReadOnlyList<string> MasksInTheOpen(JsonElement? parameters) => parameters is { } element
        ? Names(element, static member => member.Value.ValueKind == JsonValueKind.String && !IsCredential(member.Name) && SecretMask.Is(member.Value.GetString()))
        : [];

    private static IReadOnlyList<string> Names(JsonElement parameters, Func<JsonProperty, bool> belongs)
    {
        try
        {
            return parameters.ValueKind == JsonValueKind.Object ? [.. parameters.EnumerateObject().Where(belongs).Select(static member => member.Name)] : [];
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: the compiler says so.
            return [];
        }
    }

    public static JsonElement? Replace(JsonElement? parameters, Func<SecretMember, string?> value)
    {
        if (parameters is not { } element || Names(element) is not { Count: > 0 } names)
        {
            return parameters;
        }

        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            foreach (var member in element.EnumerateObject())
            {
                if (names.Contains(member.Name) && IsSecret(member))
                {
                    var secret = new SecretMember($"parameters.{member.Name}", JsonBodyCompiler.Root + TemplateProblems.Step(member.Name), member.Value.GetString());
                    writer.WriteString(member.Name, value(secret) ?? SecretMask.Stars);
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(output.ToArray());
        return document.RootElement.Clone();
    }

    /// <summary>The values stand there percent-encoded, and stay so.</summary>
    public static string? Replace(string? endpoint, Func<SecretMember, string?> value)
    {
        if (endpoint?.IndexOf('?', StringComparison.Ordinal) is not (>= 0 and var query))
        {
            return endpoint;
        }

        var fields = endpoint[(query + 1)..].Split('&');
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < fields.Length; index++)
        {
            if (fields[index].Split('=', 2) is [var name, { Length: > 0 } secret] && IsCredential(Uri.UnescapeDataString(name)))
            {
                var member = seen.Add(name) ? $"endpoint.{name}" : $"endpoint.{name}.{index}";
                fields[index] = $"{name}={value(new(member, "/endpoint", secret)) ?? SecretMask.Stars}";
            }
        }

        return endpoint[..(query + 1)] + string.Join('&', fields);
    }

    private static bool IsSecret(JsonProperty member) =>
        member.Value.ValueKind == JsonValueKind.String && IsCredential(member.Name) && member.Value.GetString() is { Length: > 0 } text && TemplateText.IsFixed(text);
}
