using GenericHttpEsp.Providers;

namespace GenericHttpEsp.Dispatch;

/// <summary>What a run sends with: pinned template, current secrets, limits and policies. Kept for each silo and checked for changes every second.</summary>
internal interface IRunTemplates
{
    ValueTask<RunTemplate> GetAsync(long campaignId, int run, CancellationToken cancellationToken);
}

/// <param name="RunDate">yyyymmdd, UTC.</param>
/// <param name="Bound">The provider's template with the campaign's content folded in.</param>
internal sealed record RunTemplate(long CampaignId, int Run, int RunDate, ProviderRuntime Provider, BoundTemplate Bound)
{
    public ClaimOwner Owner(long partitionId, long epoch) => new(
        CampaignId, Run, RunDate, partitionId, epoch, Provider.Id, Provider.Version, KeyLifetime);

    private TimeSpan? KeyLifetime => Provider.Contract is { OnUnknown: "retry", Idempotency.KeyLifetimeSeconds: { } seconds } ? TimeSpan.FromSeconds(seconds) : null;
}
