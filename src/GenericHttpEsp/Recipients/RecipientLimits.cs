using System.Text;
using TimeZoneConverter;

namespace GenericHttpEsp.Recipients;

/// <summary>Rules for the parts of a recipient that are the same in JSON and CSV.</summary>
internal static class RecipientLimits
{
    public const int AttributesBytesMax = 64 * 1024;
    public const int AttributesMax = 500;
    public const int AttributeDepthMax = 16;
    public const int AttributeNameMax = 128;
    public const int ListsMax = 100;
    public const int ListNameMax = 128;

    // A number as long as this fits jsonb and SQLite alike; a longer or infinite one would fail a whole statement of a filter later.
    public const int NumberBytesMax = 32;

    private static readonly HashSet<string> TimeZones = new(TZConvert.KnownIanaTimeZoneNames, StringComparer.Ordinal);

    public static string? AttributesProblem(string attributes) =>
        Encoding.UTF8.GetByteCount(attributes) > AttributesBytesMax ? $"The attributes are larger than {AttributesBytesMax / 1024} KB." : null;

    public static string? AttributeNameProblem(string name) => NameProblem(name, "The name of an attribute", AttributeNameMax);

    public static string? ListNameProblem(string name) =>
        NameProblem(name, "The name of a list", ListNameMax)
        ?? (name.Length != name.Trim().Length ? "The name of a list must not begin or end with white space." : null);

    public static string? TimeZoneProblem(string name) =>
        name.Length == 0 || TimeZones.Contains(name) ? null : "Not an IANA time zone, such as Europe/Berlin.";

    private static string? NameProblem(string name, string what, int lengthMax) => name switch
    {
        "" => $"{what} must not be empty.",
        _ when name.Length > lengthMax => $"{what} is longer than {lengthMax} characters.",
        _ when name.EnumerateRunes().Any(static rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar) => $"{what} holds a control or broken character.",
        _ => null,
    };
}
