using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Providers;

/// <inheritdoc cref="IProviderGrain"/>
[GrainType("provider")]
internal sealed class ProviderGrain([PersistentState("provider", ProviderGrain.Storage)] IPersistentState<ProviderState> stored, TimeProvider time)
    : Grain, IProviderGrain
{
    public const string Storage = "grains";

    private ProviderState State => stored.State;

    private bool IsThere => State.CreatedAt > 0 && State.Status != ProviderState.Deleted;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<ProviderAnswer> Create(ProviderDefinition definition, string sealedToken)
    {
        if (State.CreatedAt == 0)
        {
            return await KeepAsync(ProviderChanges.Create(definition, sealedToken, Now));
        }

        // Ids are never given twice, so whoever asks again is the same caller.
        return Answer(ProviderChanges.IsStored(State, definition) ? ProviderResult.Done : ProviderResult.Stale);
    }

    public async Task<ProviderAnswer> Change(ProviderDefinition definition, long revision)
    {
        if (!IsThere)
        {
            return Answer(ProviderResult.Missing);
        }

        // A repeated call finds its own work: that is success, whatever the revision.
        var next = ProviderChanges.Change(State, definition, Now);
        return next == State ? Answer(ProviderResult.Done)
            : State.Revision != revision ? Answer(ProviderResult.Stale)
            : await KeepAsync(next);
    }

    public async Task<ProviderAnswer> Archive() => IsThere ? await KeepAsync(ProviderChanges.Archive(State, Now)) : Answer(ProviderResult.Missing);

    public async Task<ProviderAnswer> Delete() =>
        State.CreatedAt == 0 ? Answer(ProviderResult.Missing)
        : State.Status == ProviderState.Deleted ? Answer(ProviderResult.Done)
        : State.Used ? Answer(ProviderResult.Used)
        : await KeepAsync(ProviderChanges.Delete(State, Now));

    public async Task<ProviderAnswer> AddCallbackToken(string sealedToken, bool revokeOthers) =>
        !IsThere ? Answer(ProviderResult.Missing)
        : State.Tokens.Contains(sealedToken) ? Answer(ProviderResult.Done)
        : State.Tokens.Count >= ProviderChanges.TokensMax && !revokeOthers ? Answer(ProviderResult.Full)
        : await KeepAsync(ProviderChanges.AddToken(State, sealedToken, revokeOthers, Now));

    public Task<ProviderAnswer> ArchiveIf(long revision) => IfAsync(revision, Archive);

    public Task<ProviderAnswer> DeleteIf(long revision) => IfAsync(revision, Delete);

    // A repeated call finds its own token.
    public Task<ProviderAnswer> AddCallbackTokenIf(string sealedToken, bool revokeOthers, long revision) =>
        IfAsync(State.Tokens.Contains(sealedToken) ? State.Revision : revision, () => AddCallbackToken(sealedToken, revokeOthers));

    public Task<ProviderSnapshot?> Read() => Task.FromResult(Snapshot());

    public Task<ProviderNews> ReadIfChanged(long revision) =>
        Task.FromResult(new ProviderNews(State.CreatedAt > 0, State.Revision == revision ? null : Snapshot()));

    public Task<ProviderTemplateVersion?> ReadVersion(int version)
    {
        var contract = version == State.Version ? State.Contract : Find(version)?.Contract;
        return Task.FromResult(contract is null ? null : new ProviderTemplateVersion(version, Definition(contract, Find(version)?.Origin ?? State.Origin!)));
    }

    public async Task<ProviderPinned> Pin(long campaignId, int? version)
    {
        var wanted = version ?? State.Version;
        var pinned = State.Pins.Find(pin => pin.CampaignId == campaignId);
        if (!IsThere || (wanted != State.Version && Find(wanted) is null))
        {
            return new(ProviderResult.Missing, pinned?.Version ?? 0);
        }

        if (pinned is null && (State.Status != ProviderState.Active || State.Pins.Count >= ProviderChanges.PinsMax))
        {
            return new(State.Status != ProviderState.Active ? ProviderResult.Archived : ProviderResult.Full, 0);
        }

        if (pinned?.Version != wanted)
        {
            await KeepAsync(ProviderChanges.Pin(State, campaignId, wanted));
        }

        return new(ProviderResult.Done, wanted);
    }

    public async Task Unpin(long campaignId)
    {
        if (State.Pins.Exists(pin => pin.CampaignId == campaignId))
        {
            await KeepAsync(ProviderChanges.Unpin(State, campaignId));
        }
    }

    private Task<ProviderAnswer> IfAsync(long revision, Func<Task<ProviderAnswer>> act) =>
        IsThere && State.Revision != revision ? Task.FromResult(Answer(ProviderResult.Stale)) : act();

    private async Task<ProviderAnswer> KeepAsync(ProviderState next)
    {
        var before = State;
        if (next == before)
        {
            return Answer(ProviderResult.Done);
        }

        try
        {
            stored.State = next;
            await stored.WriteStateAsync();
            return Answer(ProviderResult.Done);
        }
        catch (Exception failure)
        {
            // Whether it was stored is unknown now, unless the index refused it: read again at the next call.
            stored.State = before;
            DeactivateOnIdle();
            if (UniqueName.Refused(failure))
            {
                return Answer(ProviderResult.NameTaken);
            }

            throw;
        }
    }

    private KeptTemplate? Find(int version) => State.Older.Find(kept => kept.Version == version);

    private ProviderAnswer Answer(ProviderResult result) => new(result, Snapshot());

    private ProviderSnapshot? Snapshot() => State.CreatedAt == 0 ? null : new(
        this.GetPrimaryKeyLong(),
        State.Revision,
        State.Version,
        State.Status!,
        State.Contract is null ? null : Definition(State.Contract, State.Origin!),
        [.. State.Tokens],
        State.CreatedAt,
        State.UpdatedAt);

    private ProviderDefinition Definition(ProviderContract contract, string origin) =>
        new(ProviderChanges.Json(contract), origin, State.Secrets.GetValueOrDefault(origin) is { } secrets ? new Dictionary<string, string>(secrets) : []);
}
