using System.Security.Cryptography;
using System.Text.Json;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

/// <summary>An event set aside.</summary>
/// <param name="Identity">The same for a copy of it.</param>
/// <param name="Sealed">The event, encrypted.</param>
internal sealed record QuarantineRow(long ProviderId, byte[] Identity, byte[] Sealed);

/// <summary>An event set aside, opened.</summary>
internal sealed record QuarantinedEvent(long Id, long ReceivedAt, CallbackEvent Event);

/// <summary>
/// Table <c>quarantine</c>. Events hold addresses until somebody has decided about them, so they are encrypted, and gone after
/// <c>Retention:QuarantineDays</c>: an erased person's too.
/// </summary>
internal sealed class QuarantineStore(LedgerDatabase database, InstallationKeys keys, Retention retention, TimeProvider time) : IRetentionJob
{
    public const int PerProviderMax = 100_000;
    private const int DeletedPerWrite = 1000;
    private static readonly byte[] Purpose = "quarantine"u8.ToArray();

    public QuarantineRow Seal(long providerId, CallbackEvent one)
    {
        // The index is not part of it: a copy in another body is the same event.
        var plain = JsonSerializer.SerializeToUtf8Bytes(one with { Index = 0 });
        return new QuarantineRow(providerId, HMACSHA256.HashData(keys.Address, plain)[..16], WrappingKey.Seal(keys.Secret, plain, Purpose));
    }

    public static async Task<bool> IsFullAsync(LedgerSession session, long providerId) => await session.FirstAsync(
        $"select count(*) from (select 1 from quarantine where provider_id = @provider limit {PerProviderMax}) as kept",
        static row => row.GetInt64(0),
        ("@provider", providerId)) >= PerProviderMax;

    public async Task AddAsync(LedgerSession session, IReadOnlyList<QuarantineRow> rows)
    {
        var now = time.GetUtcNow();
        await ForgetAsync(session);
        foreach (var row in rows.OrderBy(static row => (row.ProviderId, Convert.ToHexString(row.Identity))))
        {
            await session.ExecuteAsync(
                "insert into quarantine (provider_id, identity, sealed, received_at) values (@provider, @identity, @sealed, @now) on conflict do nothing",
                ("@provider", row.ProviderId), ("@identity", row.Identity), ("@sealed", row.Sealed), ("@now", now.ToUnixTimeMilliseconds()));
        }
    }

    public string Removes => "events in quarantine";

    public Task<int> StepAsync(CancellationToken cancellationToken) => database.WriteAsync(WriteKind.Import, ForgetAsync, DeletedPerWrite, cancellationToken);

    private Task<int> ForgetAsync(LedgerSession session) => session.ExecuteAsync(
        $"delete from quarantine where id in (select id from quarantine where received_at < @old order by received_at limit {DeletedPerWrite})",
        ("@old", retention.QuarantineFrom));

    public Task<List<QuarantinedEvent>> PageAsync(long providerId, long after, int limit, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "select id, received_at, sealed from quarantine where provider_id = @provider and id > @after order by id limit @limit",
            row => new QuarantinedEvent(
                row.GetInt64(0), row.GetInt64(1),
                JsonSerializer.Deserialize<CallbackEvent>(WrappingKey.Open(keys.Secret, row.GetFieldValue<byte[]>(2), Purpose))!),
            ("@provider", providerId), ("@after", after), ("@limit", limit)),
        cancellationToken);

    public Task<int> RemoveAsync(long[] ids, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Event,
        session => session.ExecuteAsync($"delete from quarantine where id {session.Any("@ids")}", ("@ids", ids)),
        1 + ids.Length,
        cancellationToken);

    public Task<int> ClearAsync(long providerId, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Event,
        session => session.ExecuteAsync("delete from quarantine where provider_id = @provider", ("@provider", providerId)),
        cancellationToken: cancellationToken);
}
