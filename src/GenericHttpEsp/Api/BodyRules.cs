using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace GenericHttpEsp.Api;

/// <summary>
/// Validation attributes of contracts, on properties and on constructor parameters (where a positional record carries them, and where the framework's
/// validator does not look), and <see cref="IValidatableObject"/>, through all nested records.
/// </summary>
internal static class BodyRules
{
    public static void Check(object value, JsonSerializerOptions options, string pointer, BodyErrors errors)
    {
        var type = options.GetTypeInfo(value.GetType());
        if (errors.IsFull || (errors.Covers(pointer) && pointer.Length > 0))
        {
            return;
        }

        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                CheckObject(value, type, pointer, errors);
                break;
            case JsonTypeInfoKind.Enumerable when value is IEnumerable items:
                foreach (var (index, item) in items.Cast<object?>().Index().Where(static pair => pair.Item is not null))
                {
                    Check(item!, options, $"{pointer}/{index}", errors);
                }

                break;
            case JsonTypeInfoKind.Dictionary when value is IDictionary members:
                foreach (DictionaryEntry member in members)
                {
                    if (member.Value is not null)
                    {
                        Check(member.Value, options, JsonPointer.Child(pointer, member.Key.ToString()!), errors);
                    }
                }

                break;
            default:
                break;
        }
    }

    private static void CheckObject(object value, JsonTypeInfo type, string pointer, BodyErrors errors)
    {
        foreach (var property in type.Properties.Where(static property => property.Get is not null))
        {
            var child = JsonPointer.Child(pointer, property.Name);
            var member = property.Get!(value);
            if (!errors.Covers(child))
            {
                CheckAttributes(value, member, property, child, errors);
            }

            if (member is not null)
            {
                Check(member, type.Options, child, errors);
            }
        }

        if (value is IValidatableObject self)
        {
            foreach (var result in self.Validate(new ValidationContext(value)).Where(static result => result.ErrorMessage is not null))
            {
                var names = result.MemberNames.Select(name => JsonPointer.Child(pointer, JsonNamingPolicy.CamelCase.ConvertName(name))).DefaultIfEmpty(pointer);
                foreach (var name in names.Where(name => name == pointer || !errors.Covers(name)))
                {
                    errors.Add(name, result.ErrorMessage!);
                }
            }
        }
    }

    private static void CheckAttributes(object owner, object? member, JsonPropertyInfo property, string pointer, BodyErrors errors)
    {
        var context = new ValidationContext(owner) { MemberName = property.Name, DisplayName = property.Name };
        foreach (var attribute in Attributes(property.AttributeProvider).Concat(Attributes(property.AssociatedParameter?.AttributeProvider)))
        {
            if (attribute.GetValidationResult(member, context) is { ErrorMessage: { } message })
            {
                errors.Add(pointer, message);
            }
        }
    }

    private static IEnumerable<ValidationAttribute> Attributes(ICustomAttributeProvider? provider) =>
        provider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>() ?? [];
}
