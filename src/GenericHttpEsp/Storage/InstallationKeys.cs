using System.Security.Cryptography;
using System.Text;

namespace GenericHttpEsp.Storage;

/// <summary>
/// The installation's keys: for addresses (grain keys), for metas and tokens (MAC) and for secrets. They stand in the database, wrapped by the key file,
/// so a copy of the database alone opens nothing.
/// </summary>
internal sealed class InstallationKeys
{
    private const int KeyBytes = 32;
    private readonly Dictionary<string, List<(char Id, byte[] Key)>> _keys = [];

    /// <summary>32 bytes; HMAC key of normalised addresses. Never changes: grain keys derive from it.</summary>
    public byte[] Address => _keys["address"][0].Key;

    /// <summary>Keys that sign metas and tokens; the last signs, all verify.</summary>
    public IReadOnlyList<(char Id, byte[] Key)> Meta => _keys["meta"];

    /// <summary>32 bytes; AES-256-GCM key of provider secrets.</summary>
    public byte[] Secret => _keys["secret"][0].Key;

    /// <summary>Field 2 of the meta.</summary>
    public long AccountId { get; private set; }

    public static async Task<InstallationKeys> LoadAsync(
        LedgerDatabase database, StorageOptions storage, SecretsOptions secrets, long? accountId, TimeProvider time, CancellationToken cancellationToken)
    {
        var wrapping = await WrappingKey.LoadAsync(secrets.KeyFile ?? Path.Combine(storage.DataDirectory, "secret.key"), cancellationToken);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var keys = new InstallationKeys();
        foreach (var purpose in (string[])["address", "meta", "secret"])
        {
            var fresh = WrappingKey.Seal(wrapping, RandomNumberGenerator.GetBytes(KeyBytes), Encoding.UTF8.GetBytes(purpose));
            var rows = await database.WriteAsync(WriteKind.Forbid, session => KeepAsync(session, purpose, fresh, now), cancellationToken: cancellationToken);
            keys._keys[purpose] = [.. rows.Select(row => (row.Id[0], WrappingKey.Open(wrapping, row.Wrapped, Encoding.UTF8.GetBytes(purpose))))];
        }

        var account = accountId ?? RandomNumberGenerator.GetInt32(1_000_000_000, int.MaxValue);
        keys.AccountId = await database.WriteAsync(
            WriteKind.Forbid, session => Settings.KeepAsync(session, "account", account, overwrite: accountId is not null), cancellationToken: cancellationToken);
        return keys;
    }

    private static async Task<List<(string Id, byte[] Wrapped)>> KeepAsync(LedgerSession session, string purpose, byte[] wrapped, long now)
    {
        await session.ExecuteAsync(
            """
            insert into installation_keys (purpose, id, wrapped, created_at)
            select @purpose, 'a', @wrapped, @now where not exists (select 1 from installation_keys where purpose = @purpose)
            on conflict do nothing
            """,
            ("@purpose", purpose), ("@wrapped", wrapped), ("@now", now));
        return await session.QueryAsync(
            "select id, wrapped from installation_keys where purpose = @purpose order by created_at, id limit 64",
            static row => (row.GetString(0), row.GetFieldValue<byte[]>(1)),
            ("@purpose", purpose));
    }
}
