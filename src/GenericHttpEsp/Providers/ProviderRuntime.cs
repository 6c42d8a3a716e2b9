namespace GenericHttpEsp.Providers;

/// <summary>A provider as campaigns use it. Immutable, shared by threads. Holds secrets: never logged, never serialised.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="Version">The template version that was asked for, or the current one.</param>
/// <param name="Revision">Changes with every change of the provider: bind again when it differs.</param>
/// <param name="Status">active or archived.</param>
/// <param name="Contract">Secrets opened; limits and policies as they are now, template members of <paramref name="Version"/>.</param>
/// <param name="Template">Compiled from <paramref name="Contract"/>.</param>
internal sealed record ProviderRuntime(long Id, int Version, long Revision, string Status, ProviderContract Contract, RequestTemplate Template)
{
    public override string ToString() => $"provider {Id} version {Version} revision {Revision}";
}
