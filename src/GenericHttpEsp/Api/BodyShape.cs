using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace GenericHttpEsp.Api;

/// <summary>Compares a JSON value with the type it is to become: unknown and missing members, wrong types, nulls. Goes on after the first error.</summary>
internal static class BodyShape
{
    public static void Check(JsonElement value, JsonTypeInfo type, string pointer, BodyErrors errors)
    {
        if (errors.IsFull)
        {
            return;
        }

        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when value.ValueKind == JsonValueKind.Object:
                CheckObject(value, type, pointer, errors);
                break;
            case JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array:
                foreach (var (index, item) in value.EnumerateArray().Index())
                {
                    CheckMember(item, type.Options.GetTypeInfo(type.ElementType!), isNullable: false, $"{pointer}/{index}", errors);
                }

                break;
            case JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    CheckMember(member.Value, type.Options.GetTypeInfo(type.ElementType!), isNullable: true, JsonPointer.Child(pointer, member.Name), errors);
                }

                break;
            case JsonTypeInfoKind.None:
                CheckScalar(value, type, pointer, errors);
                break;
            default:
                errors.Add(pointer, $"must be {Expected(type)}");
                break;
        }
    }

    private static void CheckObject(JsonElement value, JsonTypeInfo type, string pointer, BodyErrors errors)
    {
        // What is only computed ([JsonIgnore]) is listed too, without get and set: it is no member.
        var members = type.Properties.Where(static property => property.Get is not null || property.Set is not null).ToList();
        var known = members.ToDictionary(static property => property.Name);
        foreach (var member in value.EnumerateObject())
        {
            var child = JsonPointer.Child(pointer, member.Name);
            if (known.Remove(member.Name, out var property))
            {
                CheckMember(member.Value, type.Options.GetTypeInfo(property.PropertyType), IsNullable(property), child, errors);
            }
            else if (type.Properties.All(property => !property.IsExtensionData))
            {
                errors.Add(child, NearestName.Explain(member.Name, members.Select(static property => property.Name)));
            }
        }

        foreach (var missing in known.Values.Where(IsRequired))
        {
            errors.Add(JsonPointer.Child(pointer, missing.Name), "is required");
        }
    }

    private static void CheckMember(JsonElement value, JsonTypeInfo type, bool isNullable, string pointer, BodyErrors errors)
    {
        if (value.ValueKind != JsonValueKind.Null)
        {
            Check(value, type, pointer, errors);
        }
        else if (!isNullable && type.Type != typeof(JsonElement))
        {
            errors.Add(pointer, $"must be {Expected(type)}, not null");
        }
    }

    private static void CheckScalar(JsonElement value, JsonTypeInfo type, string pointer, BodyErrors errors)
    {
        try
        {
            value.Deserialize(type);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException)
        {
            errors.Add(pointer, $"must be {Expected(type)}");
        }
    }

    private static bool IsNullable(JsonPropertyInfo property) =>
        property.PropertyType.IsValueType ? Nullable.GetUnderlyingType(property.PropertyType) is not null : property.IsSetNullable;

    /// <summary>A constructor's parameter that is not nullable and has no default, or a <c>required</c> member.</summary>
    private static bool IsRequired(JsonPropertyInfo property) =>
        property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false } && !IsNullable(property);

    private static string Expected(JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        return info.Kind switch
        {
            JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "an object",
            JsonTypeInfoKind.Enumerable => "an array",
            _ when type.IsEnum => "one of " + string.Join(", ", Enum.GetNames(type).Select(name => $"\"{EnumName(type, name)}\"")),
            _ => Scalar(type),
        };
    }

    private static string Scalar(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.String => "a string",
        TypeCode.Boolean => "true or false",
        TypeCode.Int32 or TypeCode.Int64 or TypeCode.Int16 or TypeCode.Byte => "a whole number in range",
        TypeCode.Double or TypeCode.Single or TypeCode.Decimal => "a number",
        _ when type == typeof(DateTimeOffset) || type == typeof(DateTime) => "a time such as \"2026-01-31T09:00:00Z\"",
        _ => $"a {type.Name.ToLower(CultureInfo.InvariantCulture)}",
    };

    private static string EnumName(Type type, string name) =>
        type.GetField(name)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(name);
}
