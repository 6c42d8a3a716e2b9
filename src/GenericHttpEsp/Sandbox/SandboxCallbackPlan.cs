using System.Collections.Frozen;
using System.ComponentModel.DataAnnotations;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// Which events follow an accepted message that carried a meta. A message bounces hard, or soft, or neither; one that does not bounce
/// draws each of the other events for itself.
/// </summary>
public sealed record SandboxCallbackPlan
{
    /// <summary>Where version 2 bodies are posted. Unset: no callbacks.</summary>
    public Uri? CallbackUrl { get; init; }

    [Range(0d, 1d)]
    public double HardBounceShare { get; init; }

    [Range(0d, 1d)]
    public double SoftBounceShare { get; init; }

    [Range(0d, 1d)]
    public double SpamShare { get; init; }

    [Range(0d, 1d)]
    public double UnsubscribedShare { get; init; }

    [Range(0d, 1d)]
    public double ClickedShare { get; init; }

    [Range(0d, 1d)]
    public double DeliveredShare { get; init; }

    /// <summary>Addresses whose events are told, not drawn: the types in order.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Scripted { get; init; } = FrozenDictionary<string, IReadOnlyList<string>>.Empty;

    [Range(0, 86_400_000)]
    public int DelayMilliseconds { get; init; }

    /// <summary>Up to this much more, drawn per event; so events also overtake each other.</summary>
    [Range(0, 86_400_000)]
    public int DelayJitterMilliseconds { get; init; }

    /// <summary>Events that are posted a second time.</summary>
    [Range(0d, 1d)]
    public double DuplicateShare { get; init; }

    /// <summary>Mix the events of a body.</summary>
    public bool Shuffle { get; init; }

    /// <summary>The specification allows 1000.</summary>
    [Range(1, 1000)]
    public int EventsPerBody { get; init; } = 1000;

    internal bool IsActive => CallbackUrl is not null;
}
