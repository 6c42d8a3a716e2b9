using System.Security.Cryptography;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Api;

/// <summary>
/// Table <c>idempotency</c>: a row without a status is a call under way. Bodies are sealed: an answer may hold a new API key, or addresses that somebody
/// wrote into a campaign and erased with it.
/// </summary>
internal sealed class IdempotencyStore(LedgerDatabase database, InstallationKeys keys, TimeProvider time) : IRetentionJob
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>
    /// After this long a call without an end is taken to have died with its process, and the next one with its key runs. What it may have created
    /// meanwhile is then created twice: whoever needs more must look before repeating.
    /// </summary>
    private static readonly TimeSpan RunningMax = TimeSpan.FromMinutes(2);

    /// <summary>Old rows removed by each call: more than it adds.</summary>
    private const int CleanedPerCall = 10;
    private const int CleanedPerStep = 200;
    private static readonly byte[] Purpose = "idempotency"u8.ToArray();

    public string Removes => "answers of calls with an Idempotency-Key";

    public Task<int> StepAsync(CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Import,
        session => session.ExecuteAsync(
            $"delete from idempotency where key_hash in (select key_hash from idempotency where created_at < @old order by created_at limit {CleanedPerStep})",
            ("@old", (time.GetUtcNow() - KeptFor).ToUnixTimeMilliseconds())),
        CleanedPerStep,
        cancellationToken);

    public Task<Earlier> BeginAsync(IdempotentCall call, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return database.WriteAsync(WriteKind.Forbid, session => BeginAsync(session, call, now), rows: CleanedPerCall, cancellationToken);
    }

    public Task CompleteAsync(IdempotentCall call, StoredAnswerBody answer, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        session => session.ExecuteAsync(
            "update idempotency set status = @status, content_type = @type, location = @location, body = @body where key_hash = @key and status is null",
            ("@key", call.KeyHash), ("@status", answer.Status), ("@type", answer.ContentType ?? ""), ("@location", answer.Location ?? ""),
            ("@body", answer.Body is null ? [] : WrappingKey.Seal(keys.Secret, answer.Body, Purpose))),
        cancellationToken: cancellationToken);

    public Task ForgetAsync(IdempotentCall call, CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Forbid,
        session => session.ExecuteAsync("delete from idempotency where key_hash = @key and status is null", ("@key", call.KeyHash)),
        cancellationToken: cancellationToken);

    private async Task<Earlier> BeginAsync(LedgerSession session, IdempotentCall call, long now)
    {
        var (old, dead) = (now - (long)KeptFor.TotalMilliseconds, now - (long)RunningMax.TotalMilliseconds);
        await session.ExecuteAsync(
            $"delete from idempotency where key_hash in (select key_hash from idempotency where created_at < @old order by created_at limit {CleanedPerCall})",
            ("@old", old));
        // One statement decides who runs: a new row, or one that is too old or whose call died.
        var mine = await session.ExecuteAsync(
            """
            insert into idempotency (key_hash, request_hash, created_at) values (@key, @request, @now)
            on conflict (key_hash) do update set request_hash = excluded.request_hash, created_at = excluded.created_at,
              status = null, content_type = null, location = null, body = null
            where idempotency.created_at < @old or (idempotency.status is null and idempotency.created_at < @dead)
            """,
            ("@key", call.KeyHash), ("@request", call.RequestHash), ("@now", now), ("@old", old), ("@dead", dead));
        return mine == 1 ? new Earlier(IdempotencyState.Mine, null) : await ReadAsync(session, call);
    }

    private async Task<Earlier> ReadAsync(LedgerSession session, IdempotentCall call)
    {
        var row = await session.FirstAsync(
            "select request_hash, status, content_type, location, body from idempotency where key_hash = @key",
            row => new
            {
                Request = row.GetFieldValue<byte[]>(0),
                Answer = row.IsDBNull(1)
                    ? null
                    : new StoredAnswerBody(row.GetInt32(1), Text(row.GetString(2)), Text(row.GetString(3)), Open(row.GetFieldValue<byte[]>(4))),
            },
            ("@key", call.KeyHash));
        return row switch
        {
            // Forgotten between the two statements: the caller repeats.
            null => new Earlier(IdempotencyState.Running, null),
            _ when !row.Request.AsSpan().SequenceEqual(call.RequestHash) => new Earlier(IdempotencyState.OtherRequest, null),
            { Answer: null } => new Earlier(IdempotencyState.Running, null),
            _ => new Earlier(IdempotencyState.Answered, row.Answer),
        };
    }

    /// <summary>What a server of an older version wrote beside this one is not sealed: of it status and location are answered.</summary>
    private byte[] Open(byte[] stored)
    {
        try
        {
            return stored.Length == 0 ? stored : WrappingKey.Open(keys.Secret, stored, Purpose);
        }
        catch (Exception unsealed) when (unsealed is CryptographicException or ArgumentException)
        {
            return [];
        }
    }

    private static string? Text(string stored) => stored.Length == 0 ? null : stored;
}

/// <summary>SHA-256 of caller and key, and of method, path and body.</summary>
internal sealed record IdempotentCall(byte[] KeyHash, byte[] RequestHash);

internal sealed record StoredAnswerBody(int Status, string? ContentType, string? Location, byte[]? Body);

internal sealed record Earlier(IdempotencyState State, StoredAnswerBody? Answer);

internal enum IdempotencyState
{
    /// <summary>Run it.</summary>
    Mine,

    Running,
    Answered,
    OtherRequest,
}
