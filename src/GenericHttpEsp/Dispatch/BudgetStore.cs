using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>What was granted of the current second.</summary>
/// <param name="Requests">May be fewer than wanted, or none.</param>
/// <param name="Messages">The same.</param>
/// <param name="MillisecondsLeft">Until the next second of the database's clock: then the grant lapses and a new one can be had.</param>
internal readonly record struct BudgetGrant(int Requests, int Messages, int MillisecondsLeft);

/// <summary>A provider's limits; null is unlimited, and less than one a second is possible.</summary>
internal sealed record BudgetLimits(double? RequestsPerSecond, double? MessagesPerSecond, int? Concurrency)
{
    public bool IsUnlimited => RequestsPerSecond is null && MessagesPerSecond is null;
}

/// <summary>Grants of the cluster, recorded in the database row of their second, so that two activations cannot grant twice.</summary>
internal sealed class BudgetStore(LedgerDatabase database)
{
    private const int SecondsKept = 60;
    private const int SecondsRemovedMax = 100;

    /// <summary>Grants up to what is wanted and what the second has left.</summary>
    public Task<BudgetGrant> GrantAsync(long providerId, int wantRequests, int wantMessages, BudgetLimits limits, CancellationToken cancellationToken) =>
        database.WriteAsync(
            WriteKind.Claim,
            session => GrantAsync(session, providerId, wantRequests, wantMessages, limits),
            LedgerDatabase.LastOfGroup,
            affinity: providerId,
            cancellationToken);

    private static async Task<BudgetGrant> GrantAsync(LedgerSession session, long providerId, int wantRequests, int wantMessages, BudgetLimits limits)
    {
        // The upsert locks the second's row, and what it returns is the latest committed: nobody else grants from it before our commit.
        var row = await session.FirstAsync(
            $"""
            insert into budgets (provider_id, second, requests, messages)
            select @provider, {session.Now} / 1000, 0, 0 where true
            on conflict (provider_id, second) do update set requests = budgets.requests
            returning second, requests, messages, {session.Now}
            """,
            static row => (Second: row.GetInt64(0), Requests: row.GetInt64(1), Messages: row.GetInt64(2), Now: row.GetInt64(3)),
            ("@provider", providerId));
        var requests = Grant(wantRequests, row.Requests, limits.RequestsPerSecond, row.Second);
        var messages = Grant(wantMessages, row.Messages, limits.MessagesPerSecond, row.Second);
        if (requests > 0 || messages > 0)
        {
            await session.ExecuteAsync(
                "update budgets set requests = requests + @requests, messages = messages + @messages where provider_id = @provider and second = @second",
                ("@requests", requests), ("@messages", messages), ("@provider", providerId), ("@second", row.Second));
        }

        if (row is { Requests: 0, Messages: 0 })
        {
            await ForgetAsync(session, providerId, row.Second - SecondsKept);
        }

        return new BudgetGrant((int)requests, (int)messages, (int)Math.Clamp(((row.Second + 1) * 1000) - row.Now, 0, 1000));
    }

    /// <summary>Whole numbers whose sum follows the limit: of 0.5 every other second gets one.</summary>
    internal static long Quota(double limit, long second) => (long)(Math.Floor(limit * (second + 1)) - Math.Floor(limit * second));

    private static long Grant(int wanted, long granted, double? limit, long second) =>
        limit is { } most ? Math.Clamp(Quota(most, second) - granted, 0, wanted) : wanted;

    private static Task<int> ForgetAsync(LedgerSession session, long providerId, long before) =>
        session.ExecuteAsync(
            $"""
            delete from budgets where provider_id = @provider and second in
              (select second from budgets where provider_id = @provider and second < @before order by second limit {SecondsRemovedMax})
            """,
            ("@provider", providerId), ("@before", before));
}
