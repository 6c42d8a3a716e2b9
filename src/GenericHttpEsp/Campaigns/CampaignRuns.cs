using System.Text.Json;
using GenericHttpEsp.Api;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Campaigns;

/// <summary>What a campaign does to the ledger: opens runs, halts and ends them. Everything here may be repeated.</summary>
internal sealed class CampaignRuns(
    LedgerDatabase database,
    CampaignWorkStore work,
    AudienceStore audience,
    PartitionStore partitions,
    OutcomeStore outcomes,
    RetryStore retries,
    ProviderCatalog providers,
    RunTemplates templates,
    IForbidBarrier barrier,
    IGrainFactory grains)
{
    /// <summary>With which a run that begins here begins its links.</summary>
    public string PublicUrl => templates.PublicUrl;

    /// <summary>
    /// Checks that provider, content and audience fit, and pins the provider's template version for the run: later changes of the template do not reach it.
    /// </summary>
    public async Task<(int Version, Dictionary<string, string[]>? Errors)> PinAsync(long campaignId, string contractJson, int run, DateTimeOffset now)
    {
        var contract = JsonSerializer.Deserialize<CampaignContract>(contractJson, ApiJson.Options)!;
        var (_, errors) = AudienceFilter.Parse(contract.Audience!);
        var found = new Dictionary<string, string[]>(errors);
        var provider = await providers.GetAsync(contract.ProviderId!.Value, null, CancellationToken.None);
        if (provider is null)
        {
            found["/providerId"] = [$"There is no provider {contract.ProviderId}. GET /v1/providers lists them."];
            return (0, found);
        }

        var binding = templates.Bind(provider, contract, campaignId, run, DateOf(now), now, PublicUrl);
        foreach (var (pointer, messages) in binding.Errors)
        {
            found[pointer] = messages;
        }

        if (found.Count == 0 && SampleRender.Check(binding.Template!.RenderRecord) is { } failure)
        {
            found = Explain(contract, failure);
        }

        if (found.Count > 0)
        {
            return (0, found);
        }

        var pinned = await grains.GetGrain<IProviderGrain>(provider.Id).Pin(campaignId, provider.Version);
        if (pinned.Result != ProviderResult.Done)
        {
            found["/providerId"] = [pinned.Result == ProviderResult.Archived
                ? $"Provider {provider.Id} is archived: choose another one."
                : $"Provider {provider.Id} cannot take another campaign now ({pinned.Result})."];
            return (0, found);
        }

        return (pinned.Version, null);
    }

    /// <summary>One of its texts, or what the provider's template makes of them.</summary>
    private static Dictionary<string, string[]> Explain(CampaignContract contract, RenderFailure failure) =>
        CampaignContractRules.Check(contract) is { Count: > 0 } errors
            ? errors
            : new() { ["/providerId"] = [$"The provider's template with this content cannot be rendered, not even for somebody without attributes: {failure.Detail}"] };

    /// <summary>
    /// A pin names its campaign and not the run. Of two activations one that still ends the run before takes away what the other has just pinned for a retry, so
    /// whoever goes on pins again: nothing is written while the pin stands.
    /// </summary>
    public Task KeepPinnedAsync(long campaignId, long providerId, int version) => grains.GetGrain<IProviderGrain>(providerId).Pin(campaignId, version);

    /// <summary>The run has ended: its template version need not be kept.</summary>
    public Task UnpinAsync(long campaignId, long providerId) => grains.GetGrain<IProviderGrain>(providerId).Unpin(campaignId);

    /// <summary>
    /// Nobody knows any more who failed. Asked once the work is announced: retention marks a campaign's runs first and looks for its work then, so one of the two
    /// sees the other.
    /// </summary>
    public Task<bool> IsOlderThanRetentionAsync(long campaignId) =>
        database.WriteAsync(WriteKind.Claim, session => RemovedRuns.AnyLockedAsync(session, campaignId));

    /// <param name="campaignId">The campaign.</param>
    /// <param name="due">Null: now.</param>
    /// <param name="revision">Of the state that will be stored next.</param>
    public Task AnnounceAsync(long campaignId, DateTimeOffset? due, long revision) => work.AddAsync(campaignId, due, revision, CancellationToken.None);

    /// <summary>
    /// Fixes the audience on one snapshot. Answers when the run began: a run that stood already (the ledger of a restored pair is the younger one) keeps its time,
    /// since its rows lie under its date.
    /// </summary>
    public async Task<DateTimeOffset> OpenAsync(long campaignId, int run, DateTimeOffset startedAt, string contractJson)
    {
        var contract = JsonSerializer.Deserialize<CampaignContract>(contractJson, ApiJson.Options)!;
        var (filter, _) = AudienceFilter.Parse(contract.Audience!);
        await audience.CreateRunAsync(campaignId, run, DateOf(startedAt), startedAt, filter!, CancellationToken.None);
        var began = await BeganAsync(campaignId, run);
        await database.WriteAsync(WriteKind.Event, session => EventStore.OpenRunAsync(session, campaignId, run, DateOf(began), contract.ProviderId!.Value));
        return began;
    }

    /// <summary>Makes the audience of a retry from whom the earlier runs failed or were refused. Answers when the run began, as <see cref="OpenAsync"/>.</summary>
    public async Task<DateTimeOffset> RetryAsync(long campaignId, int run, DateTimeOffset startedAt)
    {
        await retries.CreateAsync(campaignId, run, DateOf(startedAt), startedAt, CancellationToken.None);
        return await BeganAsync(campaignId, run);
    }

    private Task<DateTimeOffset> BeganAsync(long campaignId, int run) => database.ReadAsync(session => session.FirstAsync(
        "select started_at from runs where campaign_id = @campaign and run = @run",
        static row => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)),
        ("@campaign", campaignId), ("@run", run)));

    /// <summary>Keeps every unfinished partition at work, and declares lost claims unknown. True when nothing is left.</summary>
    /// <param name="campaignId">The campaign.</param>
    /// <param name="run">Its run.</param>
    /// <param name="control">Revision of the stored state that lets it run; what a later state has paused stays paused.</param>
    public async Task<bool> ContinueAsync(long campaignId, int run, long control)
    {
        await outcomes.ExpireAsync(campaignId, CancellationToken.None);
        await partitions.OpenAsync(campaignId, run, control, CancellationToken.None);
        var unfinished = await partitions.UnfinishedAsync(campaignId, run, CancellationToken.None);
        await Task.WhenAll(unfinished.Select(partition => grains.GetGrain<IPartitionGrain>(partition).StartAsync(campaignId)));
        return unfinished.Count == 0;
    }

    /// <summary>No request of the run begins after this returns, until a state later than <paramref name="control"/> lets it run.</summary>
    public async Task PauseAsync(long campaignId, int run, long control)
    {
        await partitions.PauseAsync(campaignId, run, control, CancellationToken.None);
        await barrier.WaitAsync(CancellationToken.None);
    }

    /// <summary>No request of the run begins after this returns; what is left is skipped.</summary>
    public async Task StopAsync(long campaignId, int run)
    {
        await partitions.StopAsync(campaignId, run, CancellationToken.None);
        await barrier.WaitAsync(CancellationToken.None);
    }

    /// <summary>What is on the wire of a halted run gets its outcome or becomes unknown. True when nothing is left on the wire.</summary>
    public async Task<bool> SettleAsync(long campaignId)
    {
        await outcomes.ExpireAsync(campaignId, CancellationToken.None);
        return !await partitions.AnyClaimedAsync(campaignId, CancellationToken.None);
    }

    /// <summary>Any revision above this one pauses and opens again.</summary>
    public Task<long> ControlAsync(long campaignId) => partitions.ControlAsync(campaignId, CancellationToken.None);

    /// <inheritdoc cref="CampaignWorkStore.IsAnnouncedLaterAsync"/>
    public Task<bool> IsAnnouncedLaterAsync(long campaignId, long revision) => work.IsAnnouncedLaterAsync(campaignId, revision, CancellationToken.None);

    /// <param name="campaignId">The campaign.</param>
    /// <param name="revision">Of the stored state that has no work any more.</param>
    public Task ForgetAsync(long campaignId, long revision) => work.RemoveAsync(campaignId, revision, CancellationToken.None);

    public Task<CampaignCounts> CountsAsync(long campaignId) => partitions.CountsAsync(campaignId, CancellationToken.None);

    public static int DateOf(DateTimeOffset time) => (time.UtcDateTime.Year * 10000) + (time.UtcDateTime.Month * 100) + time.UtcDateTime.Day;
}
