using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>What was granted of the current second.</summary>
/// <param name="Requests">May be fewer than wanted, or none.</param>
/// <param name="Messages">The same.</param>
/// <param name="MillisecondsLeft">Until the next second of the database's clock: then the grant lapses.</param>
/// <param name="MillisecondsToMore">When it is worth asking for more than was granted.</param>
internal readonly record struct BudgetGrant(int Requests, int Messages, int MillisecondsLeft, int MillisecondsToMore);

/// <summary>A provider's limits; null is unlimited, and less than one a second is possible.</summary>
/// <param name="Revision">Of the provider that says so.</param>
internal sealed record BudgetLimits(double? RequestsPerSecond, double? MessagesPerSecond, int? Concurrency, long Revision = 0);

/// <summary>
/// Grants of the cluster, recorded in the database row of their second, so that two activations cannot grant twice. In the first half of a second each silo
/// that asked lately gets no more than its share; what is left then is for whoever asks. A grant is a transaction of its own: shared with those of other
/// providers, two silos could hold each other's rows.
/// </summary>
internal sealed class BudgetStore(LedgerDatabase database, SiloName name) : IRetentionJob
{
    private const int SecondsKept = 60;
    private const int SecondsRemovedMax = 100;
    private const int SharesMax = 2000;
    private readonly string _silo = name.Text;

    public string Removes => "seconds of budgets";

    /// <summary>Of providers that send nothing any more; the others' go with each new second.</summary>
    public Task<int> StepAsync(CancellationToken cancellationToken) => database.WriteAsync(
        WriteKind.Import,
        session => session.ExecuteAsync(
            $"""
            delete from budgets where (provider_id, second) in
              (select provider_id, second from budgets where second < {session.Now} / 1000 - @kept order by provider_id, second limit {SecondsRemovedMax})
            """,
            ("@kept", (long)SecondsKept)),
        SecondsRemovedMax,
        cancellationToken);

    /// <summary>Grants up to what is wanted and what the second has left.</summary>
    public Task<BudgetGrant> GrantAsync(long providerId, int wantRequests, int wantMessages, BudgetLimits limits, CancellationToken cancellationToken) =>
        database.WriteAloneAsync(
            WriteKind.Claim, session => GrantAsync(session, providerId, wantRequests, wantMessages, limits), cancellationToken);

    private async Task<BudgetGrant> GrantAsync(LedgerSession session, long providerId, int wantRequests, int wantMessages, BudgetLimits limits)
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
        var left = (int)Math.Clamp(((row.Second + 1) * 1000) - row.Now, 0, 1000);
        var shares = await SharesAsync(session, providerId, row.Second, left);
        var requests = shares.Grant(wantRequests, shares.Requests, row.Requests, limits.RequestsPerSecond);
        var messages = shares.Grant(wantMessages, shares.Messages, row.Messages, limits.MessagesPerSecond);
        // Also when nothing was granted: the next second keeps a share for whoever asks.
        await session.ExecuteAsync(
            """
            insert into budget_shares (provider_id, second, silo, requests, messages) values (@provider, @second, @silo, @requests, @messages)
            on conflict (provider_id, second, silo) do update set requests = budget_shares.requests + @requests, messages = budget_shares.messages + @messages
            """,
            ("@provider", providerId), ("@second", row.Second), ("@silo", _silo), ("@requests", requests), ("@messages", messages));
        if (requests > 0 || messages > 0)
        {
            await session.ExecuteAsync(
                "update budgets set requests = requests + @requests, messages = messages + @messages where provider_id = @provider and second = @second",
                ("@requests", requests), ("@messages", messages), ("@provider", providerId), ("@second", row.Second));
        }

        if (row is { Requests: 0, Messages: 0 })
        {
            await ForgetAsync(session, "budgets", providerId, row.Second - SecondsKept);
            await ForgetAsync(session, "budget_shares", providerId, row.Second - SecondsKept);
        }

        return new BudgetGrant((int)requests, (int)messages, left, shares.MillisecondsToMore(left));
    }

    private async Task<BudgetShares> SharesAsync(LedgerSession session, long providerId, long second, int left)
    {
        var shares = await session.QueryAsync(
            $"select silo, second, requests, messages from budget_shares where provider_id = @provider and second >= @second - 1 limit {SharesMax}",
            static row => (Silo: row.GetString(0), Second: row.GetInt64(1), Requests: row.GetInt64(2), Messages: row.GetInt64(3)),
            ("@provider", providerId), ("@second", second));
        var silos = shares.Select(static share => share.Silo).Append(_silo).Distinct().Order(StringComparer.Ordinal).ToList();
        var mine = shares.Find(share => share.Silo == _silo && share.Second == second);
        return new BudgetShares(second, left, silos.Count, silos.IndexOf(_silo), mine.Requests, mine.Messages);
    }

    private static Task<int> ForgetAsync(LedgerSession session, string table, long providerId, long before) =>
        session.ExecuteAsync(
            $"""
            delete from {table} where provider_id = @provider and second in
              (select second from {table} where provider_id = @provider and second < @before order by second limit {SecondsRemovedMax})
            """,
            ("@provider", providerId), ("@before", before));
}
