using System.Collections.Concurrent;

namespace GenericHttpEsp.Providers;

/// <summary>Who owns a callback token.</summary>
/// <param name="ProviderId">Also of an archived or deleted provider: its tokens outlive it.</param>
/// <param name="AcceptUnsignedMeta">False for a deleted one.</param>
internal sealed record CallbackOwner(long ProviderId, bool AcceptUnsignedMeta);

/// <summary>
/// The providers as this silo knows them, secrets opened and templates compiled, so that a batch costs no grain call. Asked of the grain again at most once
/// a second; a silo that changes one forgets it at once.
/// </summary>
internal sealed class ProviderCatalog(IGrainFactory grains, SecretVault vault, TimeProvider time)
{
    // Far more than anybody has; above it all are forgotten and loaded again.
    private const int ProvidersMax = 10_000;
    private readonly ConcurrentDictionary<long, CatalogEntry> _entries = new();

    /// <summary>The provider as campaigns use it.</summary>
    /// <param name="providerId">Its id.</param>
    /// <param name="version">Of the template; null for the current one.</param>
    /// <param name="cancellationToken">Ends the waiting, not the loading: others wait for it too.</param>
    /// <returns>Null when there is none, it was deleted, or that version is not kept.</returns>
    public async ValueTask<ProviderRuntime?> GetAsync(long providerId, int? version, CancellationToken cancellationToken) =>
        await LoadedAsync(providerId, cancellationToken) is { } loaded ? await loaded.RuntimeAsync(version, cancellationToken) : null;

    /// <summary>Null when the token is not valid.</summary>
    public async ValueTask<CallbackOwner?> FindByTokenAsync(string token, CancellationToken cancellationToken) =>
        CallbackTokens.ProviderOf(token) is { } providerId
        && await LoadedAsync(providerId, cancellationToken) is { } loaded
        && CallbackTokens.IsAmong(token, loaded.Tokens)
            ? new(providerId, loaded.AcceptUnsignedMeta)
            : null;

    /// <summary>Whether there is, or was, such a provider.</summary>
    public async ValueTask<bool> ExistsAsync(long providerId, CancellationToken cancellationToken) => await LoadedAsync(providerId, cancellationToken) is not null;

    /// <summary>The next caller asks the grain.</summary>
    public void Forget(long providerId)
    {
        if (_entries.TryGetValue(providerId, out var entry))
        {
            entry.Forget();
        }
    }

    private async Task<LoadedProvider?> LoadedAsync(long providerId, CancellationToken cancellationToken)
    {
        if (_entries.Count > ProvidersMax)
        {
            _entries.Clear();
        }

        var entry = _entries.GetOrAdd(providerId, static _ => new CatalogEntry());
        var loaded = await entry.GetAsync(before => LoadAsync(providerId, before), time).WaitAsync(cancellationToken);
        if (loaded is null)
        {
            // Wrong tokens name providers that never were: nothing of them stays.
            _entries.TryRemove(providerId, out _);
        }

        return loaded;
    }

    private async Task<LoadedProvider?> LoadAsync(long providerId, LoadedProvider? before)
    {
        var grain = grains.GetGrain<IProviderGrain>(providerId);
        var news = await grain.ReadIfChanged(before?.Revision ?? 0);
        return !news.Exists ? null : news.Snapshot is null ? before : new LoadedProvider(news.Snapshot, grain, vault);
    }
}

/// <summary>One provider's place: at most one load at a time, whoever waits.</summary>
internal sealed class CatalogEntry
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private Task<LoadedProvider?>? _load;
    private LoadedProvider? _last;
    private long _askedAt;

    public Task<LoadedProvider?> GetAsync(Func<LoadedProvider?, Task<LoadedProvider?>> load, TimeProvider time)
    {
        lock (_gate)
        {
            if (_load is null || (_load.IsCompleted && (!_load.IsCompletedSuccessfully || time.GetElapsedTime(_askedAt) >= FreshFor)))
            {
                _askedAt = time.GetTimestamp();
                // Off the scheduler of the grain that asks: other grains wait for this task too, and would wait for its turns.
                _load = Task.Run(() => LoadAsync(load));
            }

            return _load;
        }
    }

    public void Forget()
    {
        lock (_gate)
        {
            _load = null;
        }
    }

    private async Task<LoadedProvider?> LoadAsync(Func<LoadedProvider?, Task<LoadedProvider?>> load)
    {
        LoadedProvider? before;
        lock (_gate)
        {
            before = _last;
        }

        var loaded = await load(before);
        lock (_gate)
        {
            // A load that began before a change may end after the one that saw it.
            return _last = loaded is null || _last is null || loaded.Revision >= _last.Revision ? loaded : _last;
        }
    }
}
