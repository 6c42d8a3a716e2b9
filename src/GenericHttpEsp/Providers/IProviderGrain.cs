namespace GenericHttpEsp.Providers;

/// <summary>
/// Owns one provider's stored state. Every method may be repeated: callers retry. What is stored was checked and its secrets sealed at the door; the grain
/// decides only what depends on the state before.
/// </summary>
[Alias("provider")]
[GrainInterfaceType("provider")]
public interface IProviderGrain : IGrainWithIntegerKey
{
    /// <summary>Stores a new provider; <see cref="ProviderResult.NameTaken"/> when another one has its nickname.</summary>
    /// <param name="definition">The first one.</param>
    /// <param name="sealedToken">The first callback token.</param>
    [Alias("Create")]
    Task<ProviderAnswer> Create(ProviderDefinition definition, string sealedToken);

    /// <summary>Replaces the definition if <paramref name="revision"/> is still the current one, else <see cref="ProviderResult.Stale"/>.</summary>
    [Alias("Change")]
    Task<ProviderAnswer> Change(ProviderDefinition definition, long revision);

    /// <summary>No new campaign may use it; those that run go on.</summary>
    [Alias("Archive")]
    Task<ProviderAnswer> Archive();

    /// <summary>Forgets all but the callback tokens; <see cref="ProviderResult.Used"/> when a campaign ever pinned it.</summary>
    [Alias("Delete")]
    Task<ProviderAnswer> Delete();

    /// <summary>Makes this token the one that is shown. Older ones stay valid unless <paramref name="revokeOthers"/>.</summary>
    [Alias("AddCallbackToken")]
    Task<ProviderAnswer> AddCallbackToken(string sealedToken, bool revokeOthers);

    /// <summary>As <see cref="Archive"/>, if the revision is still the current one, else <see cref="ProviderResult.Stale"/>.</summary>
    [Alias("ArchiveIf")]
    Task<ProviderAnswer> ArchiveIf(long revision);

    /// <summary>As <see cref="Delete"/>, if the revision is still the current one, else <see cref="ProviderResult.Stale"/>.</summary>
    [Alias("DeleteIf")]
    Task<ProviderAnswer> DeleteIf(long revision);

    /// <summary>As <see cref="AddCallbackToken"/>, if the revision is still the current one, else <see cref="ProviderResult.Stale"/>.</summary>
    [Alias("AddCallbackTokenIf")]
    Task<ProviderAnswer> AddCallbackTokenIf(string sealedToken, bool revokeOthers, long revision);

    /// <summary>The current state; null when there never was such a provider. A deleted one still answers its tokens.</summary>
    [Alias("Read")]
    Task<ProviderSnapshot?> Read();

    /// <summary>As <see cref="Read"/>, without the snapshot when it still has this revision.</summary>
    [Alias("ReadIfChanged")]
    Task<ProviderNews> ReadIfChanged(long revision);

    /// <summary>A template version that is kept, or null: the last twenty and every pinned one are.</summary>
    [Alias("ReadVersion")]
    Task<ProviderTemplateVersion?> ReadVersion(int version);

    /// <summary>
    /// A campaign's run holds on to a template version until <see cref="Unpin"/>: the version and the secrets of its host stay. One pin a campaign; a new
    /// one replaces it.
    /// </summary>
    /// <param name="campaignId">Who pins.</param>
    /// <param name="version">Null for the current one.</param>
    [Alias("Pin")]
    Task<ProviderPinned> Pin(long campaignId, int? version);

    /// <summary>The campaign has ended.</summary>
    [Alias("Unpin")]
    Task Unpin(long campaignId);
}
