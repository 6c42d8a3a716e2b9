using System.Buffers.Binary;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>A change of one row, good only while its version is the one that was loaded (0: no row).</summary>
/// <param name="Columns">What to write; null deletes.</param>
/// <param name="OnlyVerify">Write nothing: prove that the version still stands.</param>
internal sealed record SubscriptionWrite(byte[] Key, SubscriptionColumns? Columns, long Version, bool OnlyVerify);

/// <summary>A row with its version; 0 when there is none.</summary>
internal sealed record StoredSubscription(SubscriptionColumns? Columns, long Version)
{
    public static StoredSubscription None { get; } = new(null, 0);
}

/// <summary>Table <c>subscriptions</c>, many rows a statement. Only the grains' storage writes it.</summary>
internal static class SubscriptionStore
{
    /// <summary>Keys are compared as numbers: arrays have no equality.</summary>
    public static UInt128 Number(byte[] key) => BinaryPrimitives.ReadUInt128BigEndian(key);

    public static async Task<StoredSubscription[]> ReadAsync(LedgerSession session, IReadOnlyList<byte[]> keys)
    {
        var rows = await session.QueryAsync(
            $"select key, status, reason, since, forbids, applied, version from subscriptions where key {session.AnyKey("@keys")}",
            static row => (
                Key: row.GetFieldValue<byte[]>(0),
                Stored: new StoredSubscription(
                    new SubscriptionColumns(
                        row.GetString(1),
                        row.IsDBNull(2) ? null : row.GetString(2),
                        row.IsDBNull(3) ? null : row.GetInt64(3),
                        row.GetBoolean(4),
                        row.GetString(5)),
                    row.GetInt64(6))),
            ("@keys", keys.ToArray()));
        var found = rows.ToDictionary(row => Number(row.Key), row => row.Stored);
        return [.. keys.Select(key => found.GetValueOrDefault(Number(key), StoredSubscription.None))];
    }

    /// <param name="writes">No key twice.</param>
    /// <param name="firstVersion">
    /// Version of a first row: the clock in milliseconds, so that a row made again after an erasure never has a version that somebody still holds.
    /// </param>
    /// <returns>For each write the version that stands now, or null: somebody else moved on, and nothing was written.</returns>
    public static async Task<long?[]> WriteAsync(LedgerSession session, IReadOnlyList<SubscriptionWrite> writes, long firstVersion)
    {
        if (!session.IsSqlite)
        {
            return await SubscriptionStatements.WriteSetAsync(session, writes, firstVersion);
        }

        var versions = new long?[writes.Count];
        for (var i = 0; i < writes.Count; i++)
        {
            versions[i] = await SubscriptionStatements.WriteOneAsync(session, writes[i], firstVersion);
        }

        return versions;
    }
}
