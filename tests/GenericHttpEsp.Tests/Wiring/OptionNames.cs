using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using GenericHttpEsp.Api;
using GenericHttpEsp.Wiring;
using Microsoft.Extensions.Configuration;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>The names that the program reads from its configuration, from its own classes.</summary>
internal static class OptionNames
{
    // Read by name, or by the runtime.
    private static readonly string[] Others = ["ConnectionStrings:Postgres", "DOTNET_EnableDiagnostics"];

    private static readonly (string Section, Type Type)[] Classes =
    [
        ("", typeof(PublicUrlOptions)),
        .. typeof(ServeProgram).Assembly.GetTypes()
            .Select(static type => ((string?)type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue(), type))
            .Where(static pair => pair.Item1 is not null)
            .Select(static pair => (pair.Item1!, pair.type)),
    ];

    /// <param name="name"><c>Section__Key</c> or <c>Section:Key</c>, with its case: environments of other systems have one.</param>
    public static bool Has(string name)
    {
        var path = name.Replace("__", ":", StringComparison.Ordinal);
        if (Others.Contains(path) || path.StartsWith("Logging:LogLevel:", StringComparison.Ordinal))
        {
            return true;
        }

        var parts = path.Split(':');
        return Classes.Any(options => options.Section.Length == 0 ? Leads(options.Type, parts) : parts[0] == options.Section && Leads(options.Type, parts[1..]));
    }

    /// <summary>What the options' own validation says of these values.</summary>
    public static IEnumerable<string> Wrong(IEnumerable<(string Name, string? Value)> settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Name.Replace("__", ":", StringComparison.Ordinal), setting.Value)))
            .Build();
        foreach (var (section, type) in Classes)
        {
            var options = (section.Length == 0 ? (IConfiguration)configuration : configuration.GetSection(section)).Get(type) ?? Activator.CreateInstance(type)!;
            var problems = new List<ValidationResult>();
            Validator.TryValidateObject(options, new ValidationContext(options), problems, validateAllProperties: true);
            foreach (var problem in problems)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{section}: {problem.ErrorMessage}");
            }
        }
    }

    private static bool Leads(Type type, string[] parts)
    {
        if (parts.Length == 0 || type.GetProperty(parts[0]) is not { SetMethod: not null } property)
        {
            return false;
        }

        return parts.Length == 1
            || (parts.Length == 2 && property.PropertyType.IsArray && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            || (property.PropertyType.IsClass && Leads(property.PropertyType, parts[1..]));
    }
}
