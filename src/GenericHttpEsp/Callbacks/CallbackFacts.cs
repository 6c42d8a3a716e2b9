using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Callbacks;

/// <summary>What the database says about the events of one body, read at once.</summary>
internal sealed class CallbackFacts(RecipientKey keys)
{
    private readonly Dictionary<long, byte[]> _keys = [];
    private readonly HashSet<UInt128> _known = [];
    private readonly Dictionary<(long Campaign, int Run), long> _dates = [];
    private readonly Dictionary<(long Campaign, int Run, long Block), long[]> _blocks = [];

    /// <summary>No more unsigned events are kept for the provider.</summary>
    public bool IsQuarantineFull { get; private set; }

    public byte[] KeyOf(EmailAddress email) => keys.Of(email);

    /// <summary>Null when the recipient was erased, or never was.</summary>
    public byte[]? KeyOf(long recipient) => _keys.GetValueOrDefault(recipient);

    public bool IsKnown(EmailAddress email) => _known.Contains(SubscriptionStore.Number(keys.Of(email)));

    public bool IsOurs(Stats.MessageId message) =>
        _dates.GetValueOrDefault((message.Campaign, message.Run)) == message.RunDate
        && _blocks.TryGetValue((message.Campaign, message.Run, BlockOf(message.Recipient)), out var ids)
        && Array.BinarySearch(ids, message.Recipient) >= 0;

    public async Task ReadAsync(LedgerSession session, IReadOnlyList<JudgedEvent> events, bool believe, long providerId)
    {
        await ReadKeysAsync(session, events);
        if (believe)
        {
            await ReadMessagesAsync(session, events.Where(static one => one.Proof == MessageProof.UnsignedMeta));
        }
        else if (events.Any(static one => one.Proof is MessageProof.UnsignedMeta or MessageProof.None))
        {
            IsQuarantineFull = await QuarantineStore.IsFullAsync(session, providerId);
        }
    }

    private static long BlockOf(long recipient) => recipient / AudienceBlocks.IdsPerBlock;

    private async Task ReadKeysAsync(LedgerSession session, IReadOnlyList<JudgedEvent> events)
    {
        var ids = events.Where(static one => one.Proof is MessageProof.Token or MessageProof.UnsignedMeta).Select(static one => one.Message.Recipient).Distinct().ToArray();
        if (ids.Length > 0)
        {
            var found = await session.QueryAsync(
                $"select id, key from profiles where id {session.Any("@ids")}", static row => (row.GetInt64(0), row.GetFieldValue<byte[]>(1)), ("@ids", ids));
            found.ForEach(one => _keys[one.Item1] = one.Item2);
        }

        var addresses = events.Where(static one => one.Proof == MessageProof.None).Select(one => keys.Of(one.Email)).ToArray();
        if (addresses.Length > 0)
        {
            var found = await session.QueryAsync(
                $"select key from profiles where key {session.AnyKey("@keys")}", static row => row.GetFieldValue<byte[]>(0), ("@keys", addresses));
            found.ForEach(key => _known.Add(SubscriptionStore.Number(key)));
        }
    }

    private async Task ReadMessagesAsync(LedgerSession session, IEnumerable<JudgedEvent> events)
    {
        foreach (var (campaign, run, block) in events.Select(static one => (one.Message.Campaign, one.Message.Run, BlockOf(one.Message.Recipient))).Distinct())
        {
            if (!_dates.ContainsKey((campaign, run)))
            {
                _dates[(campaign, run)] = await session.FirstAsync(
                    "select run_date from runs where campaign_id = @campaign and run = @run", static row => row.GetInt64(0), ("@campaign", campaign), ("@run", run));
            }

            _blocks[(campaign, run, block)] = await AudienceStore.ReadBlocksAsync(session, campaign, run, block, block);
        }
    }
}
