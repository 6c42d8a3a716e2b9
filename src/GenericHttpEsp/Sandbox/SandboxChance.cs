namespace GenericHttpEsp.Sandbox;

/// <summary>
/// Draws that depend on the seed and on what is drawn, never on the order of threads. A seeded <see cref="Random"/> per draw would cost a
/// microsecond to set up; this is SplitMix64.
/// </summary>
internal static class SandboxChance
{
    public const int Fault = 1, Latency = 2, Bounce = 3, Delay = 4, Duplicate = 5, Mix = 6, Spam = 7, Unsubscribed = 8, Clicked = 9, Delivered = 10;

    /// <summary>From 0 to below 1.</summary>
    public static double Draw(int seed, long request, int record, int what)
    {
        var mixed = Mixed(Mixed(Mixed((ulong)(uint)seed) ^ (ulong)request) ^ (((ulong)(uint)record << 8) | (uint)what));
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mixed(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
