using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Api;

/// <summary>
/// Who may call <c>/v1</c>. The active keys' hashes are kept for five seconds at most, so a revocation is true everywhere within that time and a flood of
/// calls asks the database once.
/// </summary>
internal sealed class ApiKeys(ApiKeyStore store, IOptions<ApiOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(5);

    /// <summary>An unknown key asks again after this long: another silo may just have made it.</summary>
    private static readonly TimeSpan AgeOnMiss = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1);
    private volatile Snapshot? _snapshot;

    /// <returns>The key's id, or null when it is none.</returns>
    public async Task<long?> FindAsync(string key, CancellationToken cancellationToken)
    {
        if (!ApiKeyFormat.IsPlausible(key))
        {
            return null;
        }

        var hash = ApiKeyFormat.Hash(key);
        return Compare(await CurrentAsync(AgeMax, cancellationToken), hash) ?? Compare(await CurrentAsync(AgeOnMiss, cancellationToken), hash);
    }

    /// <summary>After a change on this silo.</summary>
    public void Forget() => _snapshot = null;

    /// <summary>At the start: stores the operator's key, or makes the first one.</summary>
    /// <returns>The key that was made and is shown this once; null when there was one.</returns>
    public async Task<string?> BootstrapAsync(CancellationToken cancellationToken)
    {
        if (options.Value.BootstrapKey is { Length: > 0 } chosen)
        {
            if (!ApiKeyFormat.IsPlausible(chosen))
            {
                throw new InvalidOperationException($"Api:BootstrapKey must have {ApiKeyFormat.LengthMin} to {ApiKeyFormat.LengthMax} printable characters, or be a key made by this program.");
            }

            await store.KeepAsync(chosen, cancellationToken);
            return null;
        }

        var made = ApiKeyFormat.New();
        return await store.AddFirstAsync(made, cancellationToken) ? made : null;
    }

    public void Dispose() => _reading.Dispose();

    // All of them, each in constant time: how long it takes tells nothing about how near a guess was.
    private static long? Compare(Snapshot snapshot, byte[] hash)
    {
        long? found = null;
        foreach (var (id, stored) in snapshot.Keys)
        {
            found = CryptographicOperations.FixedTimeEquals(stored, hash) ? id : found;
        }

        return found;
    }

    private async Task<Snapshot> CurrentAsync(TimeSpan ageMax, CancellationToken cancellationToken)
    {
        if (_snapshot is { } fresh && time.GetElapsedTime(fresh.ReadAt) < ageMax)
        {
            return fresh;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_snapshot is { } other && time.GetElapsedTime(other.ReadAt) < ageMax)
            {
                return other;
            }

            var readAt = time.GetTimestamp();
            return _snapshot = new Snapshot(await store.ActiveAsync(cancellationToken), readAt);
        }
        finally
        {
            _reading.Release();
        }
    }

    private sealed record Snapshot(List<(long Id, byte[] Hash)> Keys, long ReadAt);
}
