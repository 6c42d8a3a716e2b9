using System.Globalization;
using System.Text.Json;
using GenericHttpEsp.Api;

namespace GenericHttpEsp.Recipients;

/// <summary>Reads <c>{email, attributes, lists, timeZone}</c>: a line of NDJSON or the body of a PUT. Pure; finds all errors at once.</summary>
internal static class RecipientJson
{
    private static readonly string[] Members = ["email", "attributes", "lists", "timeZone"];

    // The recipient's own object stands around the attributes.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = RecipientLimits.AttributeDepthMax + 1, AllowDuplicateProperties = false };

    /// <param name="utf8">One JSON object.</param>
    /// <param name="inPath">The address when the path names it; the body may repeat it.</param>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="email">The address as given, for the report of a line that is rejected.</param>
    public static RecipientRow? Read(ReadOnlyMemory<byte> utf8, EmailAddress? inPath, List<RowError> errors, out string? email)
    {
        email = null;
        try
        {
            if (JsonTokens.Problem(utf8.Span, Strict.MaxDepth) is { } problem)
            {
                errors.Add(new RowError("", problem));
                return null;
            }

            using var document = JsonDocument.Parse(utf8, Strict);
            email = GivenEmail(document.RootElement);
            return ReadObject(document.RootElement, inPath, errors);
        }
        catch (JsonException unreadable)
        {
            errors.Add(new RowError("", unreadable.Message.Split(" LineNumber", 2)[0].Split(" Path", 2)[0]));
            return null;
        }
    }

    private static string? GivenEmail(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("email", out var email) && email.ValueKind == JsonValueKind.String
            && email.GetString() is { Length: <= EmailAddress.BytesMax } given ? given : null;

    private static RecipientRow? ReadObject(JsonElement root, EmailAddress? inPath, List<RowError> errors)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new RowError("", "Not a JSON object."));
            return null;
        }

        var (email, attributes, lists, timeZone) = (inPath, AttributesJson.Empty, (IReadOnlyList<string>?)null, (string?)null);
        foreach (var member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "email":
                    email = ReadEmail(member.Value, inPath, errors);
                    break;
                case "attributes":
                    attributes = ReadAttributes(member.Value, errors);
                    break;
                case "lists":
                    lists = ReadLists(member.Value, errors);
                    break;
                case "timeZone":
                    timeZone = ReadTimeZone(member.Value, errors);
                    break;
                default:
                    errors.Add(new RowError(JsonPointer.Child("", member.Name), Unknown(member.Name)));
                    break;
            }
        }

        if (email is null && errors.Count == 0)
        {
            errors.Add(new RowError("/email", "The address is missing."));
        }

        return errors.Count == 0 ? new RecipientRow(email!, attributes, lists, timeZone) : null;
    }

    private static EmailAddress? ReadEmail(JsonElement value, EmailAddress? inPath, List<RowError> errors)
    {
        string? reason = "Not a string.";
        var email = value.ValueKind == JsonValueKind.String ? EmailAddress.Parse(value.GetString(), out reason) : null;
        if (email is not null && inPath is not null && email.Normalised != inPath.Normalised)
        {
            reason = "Another address than the one in the path.";
            email = null;
        }

        if (email is null)
        {
            errors.Add(new RowError("/email", reason!));
        }

        return email;
    }

    private static string ReadAttributes(JsonElement value, List<RowError> errors)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new RowError("/attributes", "Not a JSON object."));
            return AttributesJson.Empty;
        }

        var count = 0;
        foreach (var name in value.EnumerateObject().Select(static member => member.Name))
        {
            Add(errors, JsonPointer.Child("/attributes", name), RecipientLimits.AttributeNameProblem(name));
            count++;
        }

        Add(errors, "/attributes", count > RecipientLimits.AttributesMax ? $"More than {RecipientLimits.AttributesMax} attributes." : null);
        var text = AttributesJson.Write(value);
        Add(errors, "/attributes", RecipientLimits.AttributesProblem(text));
        return text;
    }

    private static List<string>? ReadLists(JsonElement value, List<RowError> errors)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > RecipientLimits.ListsMax)
        {
            errors.Add(new RowError("/lists", $"Not an array of at most {RecipientLimits.ListsMax} names."));
            return null;
        }

        var names = new List<string>();
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            var name = item.ValueKind == JsonValueKind.String ? item.GetString()! : null;
            Add(errors, string.Create(CultureInfo.InvariantCulture, $"/lists/{index}"), name is null ? "Not a string." : RecipientLimits.ListNameProblem(name));
            names.Add(name ?? "");
        }

        return names;
    }

    private static string? ReadTimeZone(JsonElement value, List<RowError> errors)
    {
        var name = value.ValueKind switch { JsonValueKind.Null => "", JsonValueKind.String => value.GetString(), _ => null };
        Add(errors, "/timeZone", name is null ? "Not a string." : RecipientLimits.TimeZoneProblem(name));
        return name;
    }

    private static void Add(List<RowError> errors, string pointer, string? problem)
    {
        if (problem is not null)
        {
            errors.Add(new RowError(pointer, problem));
        }
    }

    private static string Unknown(string name) => name == "subscription"
        ? "Change it with PUT /v1/recipients/{email}/subscription."
        : NearestName.Explain(name, Members);
}
