using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>A run of a few people in one partition, with the stores that work on it.</summary>
internal sealed class LedgerSample : IAsyncDisposable
{
    public const long Campaign = 7;
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);
    private readonly TestLedger _ledger;
    private int _keys;

    private LedgerSample(TestLedger ledger)
    {
        _ledger = ledger;
        var options = Options.Create(new DispatchOptions());
        OpenClaims = new OpenClaims(options.Value.SendWindow, TimeProvider.System, clusterWide: false, _ => ValueTask.FromResult(true));
        Claims = new ClaimStore(ledger.Database, OpenClaims, options);
        Outcomes = new OutcomeStore(ledger.Database, Microsoft.Extensions.Logging.Abstractions.NullLogger<OutcomeStore>.Instance);
        Partitions = new PartitionStore(ledger.Database);
        Repeats = new RepeatStore(Claims);
        Unknown = new UnknownStore(ledger.Database);
        Retries = new RetryStore(ledger.Database, new MonthPartitions(ledger.Database));
        Audit = new LedgerAudit(ledger.Database);
    }

    /// <summary>Set: lost answers may be repeated.</summary>
    public TimeSpan? KeyLifetime { get; set; }

    public LedgerDatabase Database => _ledger.Database;

    public OpenClaims OpenClaims { get; }

    public ClaimStore Claims { get; }

    public OutcomeStore Outcomes { get; }

    public PartitionStore Partitions { get; }

    public LedgerAudit Audit { get; }

    public RepeatStore Repeats { get; }

    public UnknownStore Unknown { get; }

    public RetryStore Retries { get; }

    public long[] Ids { get; private set; } = [];

    public long Partition { get; private set; }

    public PartitionLease Lease { get; private set; } = null!;

    public static async Task<LedgerSample> CreateAsync(string engine, PostgresServer server, int people = 10, Action<string>? statements = null)
    {
        var sample = new LedgerSample(await TestLedger.CreateAsync(Engines.Parse(engine), server, configure: static options => options.WritersMax = 4));
        sample.Database.BeforeStatement = statements;
        sample.Ids = await sample.Database.WriteAsync(WriteKind.Import, async session =>
        {
            var ids = new long[people];
            for (var i = 0; i < people; i++)
            {
                ids[i] = await session.FirstAsync(
                    "insert into profiles (key, email, created_at, updated_at) values (@key, @email, 0, 0) returning id",
                    static row => row.GetInt64(0),
                    ("@key", Key(i)), ("@email", $"p{i}@example.com"));
            }

            return ids;
        });
        var (filter, _) = AudienceFilter.Parse(new AudienceContract { All = true });
        await new AudienceStore(sample.Database, new MonthPartitions(sample.Database)).CreateRunAsync(Campaign, 1, 20261124, Start, filter!, default);
        sample.Partition = (await sample.Partitions.UnfinishedAsync(Campaign, 1, default))[0];
        await sample.TakeAsync();
        return sample;
    }

    public async Task TakeAsync() => Lease = (await Partitions.TakeAsync(Partition, countsAsStart: true, default))!;

    public ClaimOwner Owner(long? epoch = null) => new(Campaign, 1, 20261124, Partition, epoch ?? Lease.Epoch, 1, 1, KeyLifetime);

    public BatchDraft Draft(params long[] ids) => new(ids, new RecordOutcome[ids.Length], new byte[ids.Length * 8], $"key{++_keys}");

    public Task<ClaimResult> ClaimAsync(long from, params long[] ids) => Claims.ClaimAsync(new ClaimRequest(Owner(), from, [Draft(ids)]), default);

    /// <summary>Claims everybody in one batch.</summary>
    public async Task<ClaimedBatch> ClaimAllAsync() => (await ClaimAsync(Lease.Cursor, Ids)).Batches[0];

    public Task RecordAsync(ClaimedBatch batch, RecordOutcome news, params Successor[] successors) => Outcomes.RecordAsync(
        new BatchReport(batch.Id, Array.ConvertAll(batch.Outcomes, outcome => outcome == RecordOutcome.ToCome ? news : outcome), successors, "answer"), default);

    public Task UnsubscribeAsync(int person) => Database.WriteAsync(WriteKind.Forbid, session => session.ExecuteAsync(
        """
        insert into subscriptions (key, status, reason, since, forbids, version) values (@key, 'unsubscribed', 'by hand', 0, @forbids, 1)
        on conflict (key) do update set forbids = @forbids, version = subscriptions.version + 1
        """,
        ("@key", Key(person)), ("@forbids", true)));

    public Task ExecuteAsync(string sql) => Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync(sql));

    public async Task<RecordOutcome[]> OutcomesAsync(long batch) => await Database.ReadAsync(async session =>
        (await session.FirstAsync("select outcome from batches where id = @id", static row => row.GetFieldValue<byte[]>(0), ("@id", batch)))!
            .Select(static outcome => (RecordOutcome)outcome).ToArray());

    public async Task HoldsAsync()
    {
        var audit = await Audit.VerifyAsync(Campaign, default);
        Assert.Empty(audit.Problems);
        Assert.Equal(Ids.Length, audit.Audience);
    }

    public static byte[] Key(int person) => [.. new byte[12], .. BitConverter.GetBytes(person)];

    public ValueTask DisposeAsync() => _ledger.DisposeAsync();
}
