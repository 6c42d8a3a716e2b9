using System.Data.Common;
using System.Text.Json;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>
/// Tables <c>events</c> and <c>run_events</c>: rows in the order of their keys (no two transactions lock them crosswise, and SQLite appends), counters by
/// what was really inserted, in one transaction.
/// </summary>
internal static class EventStore
{
    private const string Columns = "run_date, campaign_id, run, recipient_id, type, moment, discriminator, occurred_at, reason_hash, description, signed";
    private const string KeyColumns = "run_date, campaign_id, run, recipient_id, type, moment, discriminator";

    private const string SqliteRows =
        """
        select value ->> 0 as run_date, value ->> 1 as campaign_id, value ->> 2 as run, value ->> 3 as recipient_id, value ->> 4 as type,
          value ->> 5 as moment, value ->> 6 as discriminator, value ->> 7 as occurred_at, value ->> 8 as reason_hash, value ->> 9 as description,
          value ->> 10 as signed
        from json_each(@rows)
        """;

    private const string PostgresRows =
        """
        select * from unnest(@date, @campaign, @run, @recipient, @type, @moment, @discriminator, @occurred, @reason, @description, @signed)
          as rows(run_date, campaign_id, run, recipient_id, type, moment, discriminator, occurred_at, reason_hash, description, signed)
        """;

    private static readonly string Count =
        $"""
        insert into run_events (campaign_id, run, run_date, provider_id, {string.Join(", ", EventCounts.Columns)})
        values (@campaign, @run, @date, @provider, {string.Join(", ", EventCounts.Columns.Select(static column => "@" + column))})
        on conflict (campaign_id, run) do update set
          {string.Join(", ", EventCounts.Columns.Select(static column => $"{column} = run_events.{column} + excluded.{column}"))}
        """;

    /// <summary>The distinct rows in the order of the table, with the marks of first clicks.</summary>
    public static List<EventRow> Arrange(IEnumerable<EventRow> rows)
    {
        var distinct = new Dictionary<EventKey, EventRow>();
        foreach (var row in rows)
        {
            Keep(row);
            if (row.Key.Type == EventType.Clicked)
            {
                Keep(EventRow.Of(row.Key.Message, EventType.FirstClick, 0, EventText.Empty, signed: false, row.ProviderId));
            }
        }

        return [.. distinct.Values.OrderBy(static row => row.Key)];

        void Keep(EventRow row) => distinct[row.Key] = distinct.TryGetValue(row.Key, out var other) ? EventRow.Merge(row, other) : row;
    }

    /// <param name="rows">From <see cref="Arrange"/>.</param>
    /// <returns>The keys of new rows.</returns>
    public static async Task<List<EventKey>> AddAsync(LedgerSession session, IReadOnlyList<EventRow> rows, long receivedAt)
    {
        var added = await session.QueryAsync(
            $"""
            insert into events ({Columns}, received_at)
            select {Columns}, @now from ({(session.IsSqlite ? SqliteRows : PostgresRows)}) as given
            where true order by {KeyColumns}
            on conflict do nothing returning {KeyColumns}
            """,
            ReadKey,
            [.. Parameters(session, rows), ("@now", receivedAt)]);
        if (added.Count < rows.Count)
        {
            await MergeAsync(session, rows);
        }

        await CountAsync(session, rows, added);
        return added;
    }

    /// <summary>A run's counters before its first event, so that reports know whose run it is. May be repeated.</summary>
    public static Task<int> OpenRunAsync(LedgerSession session, long campaign, int run, long runDate, long provider) => session.ExecuteAsync(
        "insert into run_events (campaign_id, run, run_date, provider_id) values (@campaign, @run, @date, @provider) on conflict do nothing",
        ("@campaign", campaign), ("@run", (long)run), ("@date", runDate), ("@provider", provider));

    public static async Task<EventCounts> CountsAsync(LedgerSession session, long campaign) => (await session.FirstAsync(
        $"select {string.Join(", ", EventCounts.Columns.Select(static column => $"cast(coalesce(sum({column}), 0) as bigint)"))} from run_events where campaign_id = @campaign",
        row => ReadCounts(row, 0),
        ("@campaign", campaign)))!;

    public static EventCounts ReadCounts(DbDataReader row, int first) => new(
        row.GetInt64(first), row.GetInt64(first + 1), row.GetInt64(first + 2), row.GetInt64(first + 3), row.GetInt64(first + 4), row.GetInt64(first + 5),
        row.GetInt64(first + 6));

    /// <summary>Copies that differ: the earliest stands, and one signed copy is enough.</summary>
    private static Task<int> MergeAsync(LedgerSession session, IReadOnlyList<EventRow> rows) => session.ExecuteAsync(
        $"""
        update events set
          occurred_at = case when {Earlier} then given.occurred_at else events.occurred_at end,
          reason_hash = case when {Earlier} then given.reason_hash else events.reason_hash end,
          description = case when {Earlier} then given.description else events.description end,
          signed = {(session.IsSqlite ? "max(events.signed, given.signed)" : "events.signed or given.signed")}
        from ({(session.IsSqlite ? SqliteRows : PostgresRows)}) as given
        where events.run_date = given.run_date and events.campaign_id = given.campaign_id and events.run = given.run
          and events.recipient_id = given.recipient_id and events.type = given.type and events.moment = given.moment
          and events.discriminator = given.discriminator
          and ({Earlier} or given.signed > events.signed)
        """,
        Parameters(session, rows));

    // 0 is "not told", which is later than any time told.
    private const string Earlier =
        """
        (case given.occurred_at when 0 then 9223372036854775807 else given.occurred_at end, given.reason_hash)
          < (case events.occurred_at when 0 then 9223372036854775807 else events.occurred_at end, events.reason_hash)
        """;

    private static async Task CountAsync(LedgerSession session, IReadOnlyList<EventRow> rows, List<EventKey> added)
    {
        var providers = added.Count == 0 ? null : rows.ToLookup(static row => (row.Key.Message.Campaign, row.Key.Message.Run), static row => row.ProviderId);
        foreach (var run in added.GroupBy(static key => (key.Message.Campaign, key.Message.Run)).OrderBy(static run => run.Key))
        {
            var counts = EventCounts.Of(run.Select(static key => key.Type)).Values();
            await session.ExecuteAsync(
                Count,
                [
                    ("@campaign", run.Key.Campaign), ("@run", (long)run.Key.Run), ("@date", run.First().Message.RunDate), ("@provider", providers![run.Key].First()),
                    .. EventCounts.Columns.Select((column, i) => ("@" + column, (object?)counts[i])),
                ]);
        }
    }

    private static EventKey ReadKey(DbDataReader row) => new(
        new MessageId(row.GetInt64(0), row.GetInt64(1), (int)row.GetInt64(2), row.GetInt64(3)), (EventType)row.GetInt64(4), row.GetInt64(5), row.GetInt64(6));

    private static (string, object?)[] Parameters(LedgerSession session, IReadOnlyList<EventRow> rows) => session.IsSqlite
        ? [("@rows", Json(rows))]
        :
        [
            ("@date", Column(rows, static row => row.Key.Message.RunDate)), ("@campaign", Column(rows, static row => row.Key.Message.Campaign)),
            ("@run", Column(rows, static row => (long)row.Key.Message.Run)), ("@recipient", Column(rows, static row => row.Key.Message.Recipient)),
            ("@type", Column(rows, static row => (long)row.Key.Type)), ("@moment", Column(rows, static row => row.Key.Moment)),
            ("@discriminator", Column(rows, static row => row.Key.Discriminator)), ("@occurred", Column(rows, static row => row.OccurredAt)),
            ("@reason", Column(rows, static row => row.Text.Hash)), ("@description", Column(rows, static row => row.Text.Text)),
            ("@signed", Column(rows, static row => row.Signed)),
        ];

    private static T[] Column<T>(IReadOnlyList<EventRow> rows, Func<EventRow, T> column) => [.. rows.Select(column)];

    private static string Json(IReadOnlyList<EventRow> rows)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(rows.Count * 128);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var (key, occurredAt, text, signed, _) in rows)
        {
            json.WriteStartArray();
            json.WriteNumberValue(key.Message.RunDate);
            json.WriteNumberValue(key.Message.Campaign);
            json.WriteNumberValue(key.Message.Run);
            json.WriteNumberValue(key.Message.Recipient);
            json.WriteNumberValue((int)key.Type);
            json.WriteNumberValue(key.Moment);
            json.WriteNumberValue(key.Discriminator);
            json.WriteNumberValue(occurredAt);
            json.WriteNumberValue(text.Hash);
            json.WriteStringValue(text.Text);
            json.WriteNumberValue(signed ? 1 : 0);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.Flush();
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
