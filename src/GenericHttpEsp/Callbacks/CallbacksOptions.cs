using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Callbacks;

/// <summary>Section <c>Callbacks</c>: how much of callbacks this silo takes.</summary>
internal sealed class CallbacksOptions
{
    public const string Section = "Callbacks";

    /// <summary>A body of 1000 events has about 200 KB; descriptions may be long.</summary>
    [Range(1 << 16, 1 << 26)]
    public int BodyBytesMax { get; set; } = 4 << 20;

    /// <summary>Bodies a second for each provider; ESPs that post every event alone need many.</summary>
    [Range(1, 1_000_000)]
    public int BodiesPerSecond { get; set; } = 2000;

    /// <summary>Bodies at once above the rate.</summary>
    [Range(1, 1_000_000)]
    public int BodiesBurst { get; set; } = 4000;

    /// <summary>Bytes of bodies being read or stored at one moment, of all providers; more are asked to come back.</summary>
    [Range(1 << 22, 1 << 30)]
    public int PendingBytesMax { get; set; } = 64 << 20;
}
