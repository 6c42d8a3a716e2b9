using System.Data.Common;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Stats;

/// <summary>A recorded event as read.</summary>
/// <param name="Email">Of the recipient as known now; null when erased.</param>
internal sealed record RecordedEvent(EventKey Key, long OccurredAt, string Description, bool Signed, long ReceivedAt, string? Email);

/// <summary>How often one reason stands in bounces.</summary>
internal sealed record BounceReason(EventType Type, string Description, long Count, IReadOnlyList<long> Recipients);

/// <summary>Reads <c>events</c> along its indexes; every read is bounded.</summary>
internal sealed class EventReader(LedgerDatabase database)
{
    public const int PageMax = 1000;
    private const int ReasonsMax = 50;
    private const int SamplesMax = 3;

    private const string Select =
        """
        select e.run_date, e.campaign_id, e.run, e.recipient_id, e.type, e.moment, e.discriminator, e.occurred_at, e.description, e.signed, e.received_at, p.email
        from events e left join profiles p on p.id = e.recipient_id
        """;

    private const string Order = "order by e.run_date, e.campaign_id, e.run, e.recipient_id, e.type, e.moment, e.discriminator limit @limit";

    /// <summary>A page of the log in the order of its key.</summary>
    public Task<List<RecordedEvent>> PageAsync(EventKey after, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"""
            {Select}
            where (e.run_date, e.campaign_id, e.run, e.recipient_id, e.type, e.moment, e.discriminator) > (@date, @campaign, @run, @recipient, @type, @moment, @discriminator)
              and e.type <> 7
            {Order}
            """,
            Read,
            Parameters(after)),
        cancellationToken);

    /// <summary>A page of one run's events; the run is the one of <paramref name="after"/>.</summary>
    public Task<List<RecordedEvent>> PageOfRunAsync(EventKey after, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"""
            {Select}
            where e.run_date = @date and e.campaign_id = @campaign and e.run = @run
              and (e.recipient_id, e.type, e.moment, e.discriminator) > (@recipient, @type, @moment, @discriminator) and e.type <> 7
            {Order}
            """,
            Read,
            Parameters(after)),
        cancellationToken);

    /// <summary>The runs of a campaign, each as the key before its first event.</summary>
    public Task<List<EventKey>> RunsAsync(long campaign, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "select run_date, run from run_events where campaign_id = @campaign order by run limit 1000",
            row => new EventKey(new MessageId(row.GetInt64(0), campaign, (int)row.GetInt64(1), long.MinValue), 0, 0, 0),
            ("@campaign", campaign)),
        cancellationToken);

    /// <summary>What happened to one message.</summary>
    public static Task<List<RecordedEvent>> OfMessageAsync(LedgerSession session, MessageId message, int limit) => session.QueryAsync(
        $"""
        {Select}
        where e.run_date = @date and e.campaign_id = @campaign and e.run = @run and e.recipient_id = @recipient and e.type <> 7
        {Order}
        """,
        Read,
        ("@date", message.RunDate), ("@campaign", message.Campaign), ("@run", (long)message.Run), ("@recipient", message.Recipient), ("@limit", limit));

    /// <summary>Bounces of a campaign by description, the most frequent first; answered from an index that holds bounces alone.</summary>
    public static async Task<List<BounceReason>> BouncesAsync(LedgerSession session, long campaign)
    {
        var groups = await session.QueryAsync(
            $"""
            select type, reason_hash, count(*), min(recipient_id) from events
            where campaign_id = @campaign and type in (2, 3) group by type, reason_hash order by count(*) desc, type, reason_hash limit {ReasonsMax}
            """,
            static row => (Type: (EventType)row.GetInt64(0), Hash: row.GetInt64(1), Count: row.GetInt64(2)),
            ("@campaign", campaign));
        var reasons = new List<BounceReason>();
        foreach (var (type, hash, count) in groups)
        {
            var samples = await session.QueryAsync(
                $"""
                select recipient_id, description from events
                where campaign_id = @campaign and type in (2, 3) and type = @type and reason_hash = @hash order by recipient_id limit {SamplesMax}
                """,
                static row => (Recipient: row.GetInt64(0), Description: row.GetString(1)),
                ("@campaign", campaign), ("@type", (long)type), ("@hash", hash));
            reasons.Add(new BounceReason(type, samples[0].Description, count, [.. samples.Select(static sample => sample.Recipient).Distinct()]));
        }

        return reasons;
    }

    private static (string, object?)[] Parameters(EventKey after) =>
    [
        ("@date", after.Message.RunDate), ("@campaign", after.Message.Campaign), ("@run", (long)after.Message.Run), ("@recipient", after.Message.Recipient),
        ("@type", (long)after.Type), ("@moment", after.Moment), ("@discriminator", after.Discriminator), ("@limit", PageMax),
    ];

    private static RecordedEvent Read(DbDataReader row) => new(
        new EventKey(
            new MessageId(row.GetInt64(0), row.GetInt64(1), (int)row.GetInt64(2), row.GetInt64(3)), (EventType)row.GetInt64(4), row.GetInt64(5), row.GetInt64(6)),
        row.GetInt64(7),
        row.GetString(8),
        row.GetBoolean(9),
        row.GetInt64(10),
        row.IsDBNull(11) ? null : row.GetString(11));
}
