using System.Text.Json;

namespace GenericHttpEsp.Api;

/// <summary>Strings that are JSON and still cannot be kept.</summary>
internal static class BodyText
{
    /// <summary>A lone surrogate is no text: there is no UTF-8 for it, so it could be neither stored nor sent.</summary>
    /// <returns>What is wrong and where; null when all strings are text.</returns>
    public static string? FindUnreadable(JsonElement element, string pointer)
    {
        try
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    _ = element.GetString();
                    return null;
                case JsonValueKind.Object:
                    return element.EnumerateObject()
                        .Select(member => FindUnreadable(member.Value, JsonPointer.Child(pointer, member.Name))).FirstOrDefault(static found => found is not null);
                case JsonValueKind.Array:
                    return element.EnumerateArray()
                        .Select((item, index) => FindUnreadable(item, $"{pointer}/{index}")).FirstOrDefault(static found => found is not null);
                default:
                    return null;
            }
        }
        catch (InvalidOperationException)
        {
            return $"Not valid Unicode: a lone surrogate at \"{pointer}\".";
        }
    }

    public static void RefuseNul(JsonElement element, string pointer, BodyErrors errors)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String when element.GetString()!.Contains('\0'):
                errors.Add(pointer, "holds \\u0000, which PostgreSQL cannot store");
                break;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    var child = JsonPointer.Child(pointer, member.Name);
                    if (member.Name.Contains('\0'))
                    {
                        errors.Add(child, "has \\u0000 in its name, which PostgreSQL cannot store");
                    }

                    RefuseNul(member.Value, child, errors);
                }

                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in element.EnumerateArray().Index())
                {
                    RefuseNul(item, $"{pointer}/{index}", errors);
                }

                break;
            default:
                break;
        }
    }
}
