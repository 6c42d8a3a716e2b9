namespace GenericHttpEsp.Providers;

/// <summary>What became of a call that changes a provider.</summary>
[GenerateSerializer]
[Alias("provider.result")]
public enum ProviderResult
{
    Done,

    /// <summary>There is no such provider, or it was deleted.</summary>
    Missing,

    /// <summary>Somebody changed it meanwhile.</summary>
    Stale,

    /// <summary>Another provider has this nickname.</summary>
    NameTaken,

    /// <summary>A campaign used it, so it can only be archived.</summary>
    Used,

    /// <summary>No new campaign may use it.</summary>
    Archived,

    /// <summary>No more tokens, or no more pins, fit.</summary>
    Full,
}

/// <summary>What a client said about a provider, checked, without its secrets.</summary>
/// <param name="ContractJson">A <see cref="ProviderContract"/> whose secrets are null.</param>
/// <param name="Origin">Host and port of the endpoint: secrets belong to it and are never sent anywhere else.</param>
/// <param name="Sealed">Secrets by their member's name; see <see cref="SecretVault"/>.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.definition")]
public sealed record ProviderDefinition(
    [property: Id(0)] string ContractJson,
    [property: Id(1)] string Origin,
    [property: Id(2)] IReadOnlyDictionary<string, string> Sealed);

/// <param name="Id">The provider's id.</param>
/// <param name="Revision">Raised at every change: the entity tag.</param>
/// <param name="Version">Of the template: raised when the requests it makes change shape.</param>
/// <param name="Status">active, archived or deleted.</param>
/// <param name="Definition">Null when it was deleted.</param>
/// <param name="SealedTokens">Callback tokens that are valid; the last is the one that is shown.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="UpdatedAt">Unix milliseconds.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.snapshot")]
public sealed record ProviderSnapshot(
    [property: Id(0)] long Id,
    [property: Id(1)] long Revision,
    [property: Id(2)] int Version,
    [property: Id(3)] string Status,
    [property: Id(4)] ProviderDefinition? Definition,
    [property: Id(5)] IReadOnlyList<string> SealedTokens,
    [property: Id(6)] long CreatedAt,
    [property: Id(7)] long UpdatedAt);

/// <param name="Result">Whether it was done.</param>
/// <param name="Snapshot">The state after the call; null when there is none.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.answer")]
public sealed record ProviderAnswer([property: Id(0)] ProviderResult Result, [property: Id(1)] ProviderSnapshot? Snapshot);

/// <param name="Exists">Whether there is, or was, such a provider.</param>
/// <param name="Snapshot">Null when nothing changed.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.news")]
public sealed record ProviderNews([property: Id(0)] bool Exists, [property: Id(1)] ProviderSnapshot? Snapshot);

/// <param name="Version">Its number.</param>
/// <param name="Definition">With the contract of that time and the secrets that its host has now.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.templateVersion")]
public sealed record ProviderTemplateVersion([property: Id(0)] int Version, [property: Id(1)] ProviderDefinition Definition);

/// <param name="Result"><see cref="ProviderResult.Missing"/> also when that version is not kept any more.</param>
/// <param name="Version">What is pinned now; 0 when nothing is.</param>
[Immutable]
[GenerateSerializer]
[Alias("provider.pinned")]
public sealed record ProviderPinned([property: Id(0)] ProviderResult Result, [property: Id(1)] int Version);
