using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>The writing statements: a loop of prepared ones in SQLite, where a call costs nothing; one set in PostgreSQL, where it is a round trip.</summary>
internal static class SubscriptionStatements
{
    public static async Task<long?> WriteOneAsync(LedgerSession session, SubscriptionWrite write, long firstVersion)
    {
        if (write.OnlyVerify)
        {
            var stands = await session.FirstAsync("select version from subscriptions where key = @key", static row => row.GetInt64(0), ("@key", write.Key));
            return stands == write.Version ? stands : null;
        }

        if (write.Columns is not { } columns)
        {
            var deleted = await session.ExecuteAsync(
                "delete from subscriptions where key = @key and version = @version", ("@key", write.Key), ("@version", write.Version));
            return deleted == 1 ? 0 : null;
        }

        var next = write.Version == 0 ? firstVersion : write.Version + 1;
        var changed = await session.ExecuteAsync(
            write.Version == 0
                ? """
                  insert into subscriptions (key, status, reason, since, forbids, applied, version)
                  values (@key, @status, @reason, @since, @forbids, @applied, @next) on conflict do nothing
                  """
                : """
                  update subscriptions set status = @status, reason = @reason, since = @since, forbids = @forbids, applied = @applied, version = @next
                  where key = @key and version = @next - 1
                  """,
            ("@key", write.Key), ("@status", columns.Status), ("@reason", columns.Reason), ("@since", columns.Since),
            ("@forbids", columns.Forbids), ("@applied", columns.Applied), ("@next", next));
        return changed == 1 ? next : null;
    }

    public static async Task<long?[]> WriteSetAsync(LedgerSession session, IReadOnlyList<SubscriptionWrite> writes, long firstVersion)
    {
        var standing = new Dictionary<UInt128, long?>();
        await VerifyAsync(session, [.. writes.Where(static write => write.OnlyVerify)], standing);
        await DeleteAsync(session, [.. writes.Where(static write => !write.OnlyVerify && write.Columns is null)], standing);
        await UpsertAsync(session, [.. writes.Where(static write => !write.OnlyVerify && write.Columns is not null)], firstVersion, standing);
        return [.. writes.Select(write => standing.GetValueOrDefault(SubscriptionStore.Number(write.Key)))];
    }

    private static async Task VerifyAsync(LedgerSession session, SubscriptionWrite[] writes, Dictionary<UInt128, long?> standing)
    {
        if (writes.Length == 0)
        {
            return;
        }

        var stored = await SubscriptionStore.ReadAsync(session, [.. writes.Select(static write => write.Key)]);
        for (var i = 0; i < writes.Length; i++)
        {
            standing[SubscriptionStore.Number(writes[i].Key)] = stored[i].Version == writes[i].Version ? stored[i].Version : null;
        }
    }

    private static async Task DeleteAsync(LedgerSession session, SubscriptionWrite[] writes, Dictionary<UInt128, long?> standing)
    {
        if (writes.Length == 0)
        {
            return;
        }

        var deleted = await session.QueryAsync(
            """
            delete from subscriptions s using unnest(@keys, @versions) as t(key, version)
            where s.key = t.key and s.version = t.version returning s.key
            """,
            static row => row.GetFieldValue<byte[]>(0),
            ("@keys", writes.Select(static write => write.Key).ToArray()), ("@versions", writes.Select(static write => write.Version).ToArray()));
        deleted.ForEach(key => standing[SubscriptionStore.Number(key)] = 0);
    }

    private static async Task UpsertAsync(LedgerSession session, SubscriptionWrite[] writes, long firstVersion, Dictionary<UInt128, long?> standing)
    {
        if (writes.Length == 0)
        {
            return;
        }

        // In key order, so that two silos that hold the same rows for a moment wait for each other instead of locking crosswise.
        var ordered = writes.OrderBy(static write => SubscriptionStore.Number(write.Key)).ToArray();
        var columns = ordered.Select(static write => write.Columns!).ToArray();
        var written = await session.QueryAsync(
            """
            with given as (
              select * from unnest(@keys, @statuses, @reasons, @sinces, @forbids, @applied, @versions)
                as t(key, status, reason, since, forbids, applied, version)),
            updated as (
              update subscriptions s set status = g.status, reason = g.reason, since = g.since, forbids = g.forbids, applied = g.applied, version = s.version + 1
              from given g where s.key = g.key and g.version > 0 and s.version = g.version returning s.key, s.version),
            inserted as (
              insert into subscriptions (key, status, reason, since, forbids, applied, version)
              select key, status, reason, since, forbids, applied, @first from given where version = 0 order by key
              on conflict do nothing returning key, version)
            select key, version from updated union all select key, version from inserted
            """,
            static row => (Key: row.GetFieldValue<byte[]>(0), Version: row.GetInt64(1)),
            ("@keys", ordered.Select(static write => write.Key).ToArray()),
            ("@statuses", columns.Select(static row => row.Status).ToArray()),
            ("@reasons", columns.Select(static row => row.Reason).ToArray()),
            ("@sinces", columns.Select(static row => row.Since).ToArray()),
            ("@forbids", columns.Select(static row => row.Forbids).ToArray()),
            ("@applied", columns.Select(static row => row.Applied).ToArray()),
            ("@versions", ordered.Select(static write => write.Version).ToArray()),
            ("@first", firstVersion));
        written.ForEach(row => standing[SubscriptionStore.Number(row.Key)] = row.Version);
    }
}
