using System.Globalization;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Small in CI; <c>GHE_FIRE_FULL=1</c> asks for the full sizes.</summary>
internal static class FireSize
{
    public static bool IsFull { get; } = Number("GHE_FIRE_FULL") == 1;

    public static int Of(int ci, int full) => IsFull ? full : ci;

    /// <summary>CI has minutes: what another test shows too, in another way, is left to the full size.</summary>
    public static void SkipUnlessFull(bool isInCi = false) => Assert.SkipUnless(IsFull || isInCi, "Only in the full size: GHE_FIRE_FULL=1.");

    public static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
