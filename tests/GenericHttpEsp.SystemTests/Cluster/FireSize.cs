using System.Globalization;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Small in CI; <c>GHE_FIRE_FULL=1</c> asks for the full sizes.</summary>
internal static class FireSize
{
    public static bool IsFull { get; } = Number("GHE_FIRE_FULL") == 1;

    public static int Of(int ci, int full) => IsFull ? full : ci;

    public static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
