using System.Diagnostics;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class ErrorStoreTests(PostgresServer server)
{
    // Both cores may be with other tests at this moment.
    private const int BusyMachine = 5;
    private static readonly TimeSpan Promise = TimeSpan.FromMilliseconds(100);

    /// <summary>More rows than a request used to look at, the rarest reason in the last of them.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Errors_OfManyRows_AreCountedToTheLast(string engine)
    {
        const int Rows = 25_000;
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await FillAsync(sample, Rows, static row => row == Rows - 1 ? [RecordOutcome.Refused, RecordOutcome.Failed, RecordOutcome.Accepted]
            : row % 100 == 0 ? [RecordOutcome.Refused, RecordOutcome.Refused, RecordOutcome.Accepted]
            : [RecordOutcome.Accepted, RecordOutcome.Moved, RecordOutcome.SkippedUnsubscribed], static row => row == Rows - 1 ? "552 full" : row % 200 == 0 ? "550 nobody" : null);

        var groups = (await ReadAsync(sample)).Groups.Where(static group => group.Outcome != "skipped").ToList();

        Assert.Equal(
            [("refused", "", 250L), ("refused", "550 nobody", 250L), ("refused", "552 full", 1L), ("failed", "552 full", 1L)],
            groups.OrderByDescending(static group => group.Outcome).ThenByDescending(static group => group.Count).ThenBy(static group => group.Reason, StringComparer.Ordinal)
                .Select(static group => (group.Outcome, group.Reason, group.Count)));
        Assert.Equal([3, 3, 1, 1], groups.Select(static group => group.Samples.Count).OrderDescending());
        Assert.Equal(Id(Rows - 1, 0), groups.Single(static group => group is { Outcome: "refused", Reason: "552 full" }).Samples[0].RecipientId);
        Assert.Equal(Id(Rows - 1, 1), groups.Single(static group => group.Outcome == "failed").Samples[0].RecipientId);
    }

    /// <summary>An ESP that says something else every time: the most frequent come back, the rest is told as a number.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Errors_WithAReasonEach_AddUp(string engine)
    {
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        await FillAsync(sample, 300, static row => row < 2 ? [RecordOutcome.Failed, RecordOutcome.Failed] : [RecordOutcome.Failed], static row => row < 2 ? "same" : $"request {row}");

        var groups = (await ReadAsync(sample)).Groups;

        Assert.Equal(("same", 4L), (groups[0].Reason, groups[0].Count));
        Assert.Equal(("other", 302L - 4 - 49), (groups[^1].Reason, groups[^1].Count));
        Assert.Equal(51, groups.Count);
    }

    /// <summary>The promise for 1,000 batches is 100 ms. GHE_BENCH_ROWS asks for any other number of them, and tells.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Errors_OfAThousandBatches_TakeNoTime(string engine)
    {
        var rows = int.TryParse(Environment.GetEnvironmentVariable("GHE_BENCH_ROWS"), out var asked) ? asked : 1000;
        await using var sample = await LedgerSample.CreateAsync(engine, server);
        var outcomes = Enumerable.Range(0, rows > 1000 ? 20 : 1000).Select(static i => i % 20 == 0 ? RecordOutcome.Refused : i % 50 == 1 ? RecordOutcome.Failed : RecordOutcome.Accepted).ToArray();
        await FillAsync(sample, rows, _ => outcomes, static row => $"550 reason {row % 30}");
        if (engine == nameof(StorageEngine.PostgreSql))
        {
            await sample.ExecuteAsync("analyze batches");
        }

        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await ReadAsync(sample);
            best = new(Math.Min(best.Ticks, Stopwatch.GetElapsedTime(began).Ticks));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{engine}: {rows} batches of {outcomes.Length} in {best.TotalMilliseconds:f1} ms");
        Assert.True(rows > 1000 || best < Promise * BusyMachine, $"{best.TotalMilliseconds} ms");
    }

    private static long Id(int row, int place) => 1_000_000 + (row * 1000L) + place;

    private static async Task FillAsync(LedgerSample sample, int rows, Func<int, RecordOutcome[]> outcomes, Func<int, string?> answer)
    {
        const int Step = 5000;
        var sums = new Dictionary<RecordOutcome, long>();
        for (var from = 0; from < rows; from += Step)
        {
            await sample.Database.WriteAsync(WriteKind.Import, async session =>
            {
                for (var row = from; row < Math.Min(rows, from + Step); row++)
                {
                    var bytes = outcomes(row);
                    var ids = bytes.Select((_, place) => Id(row, place)).ToArray();
                    await session.ExecuteAsync(
                        """
                        insert into batches (campaign_id, run, run_date, partition_id, attempt, state, first_id, last_id, ids, outcome, live, provider_id, provider_version, epoch, answer, created_at)
                        values (@campaign, 1, 20261124, @partition, 0, 2, @first, @last, @ids, @outcome, 0, 1, 1, 1, cast(@answer as text), 0)
                        """,
                        ("@campaign", LedgerSample.Campaign), ("@partition", sample.Partition), ("@first", ids[0]), ("@last", ids[^1]), ("@ids", IdArray.ToColumn(session, ids)),
                        ("@outcome", Array.ConvertAll(bytes, static outcome => (byte)outcome)), ("@answer", answer(row)));
                    foreach (var outcome in bytes)
                    {
                        sums[outcome] = sums.GetValueOrDefault(outcome) + 1;
                    }
                }

                return 0;
            });
        }

        await sample.ExecuteAsync(
            $"update partitions set refused = {sums.GetValueOrDefault(RecordOutcome.Refused)}, failed = {sums.GetValueOrDefault(RecordOutcome.Failed)}, accepted = {sums.GetValueOrDefault(RecordOutcome.Accepted)}");
    }

    private static Task<CampaignErrors> ReadAsync(LedgerSample sample) => new ErrorStore(
        sample.Database, sample.Partitions, new Retention(Options.Create(new RetentionOptions()), TimeProvider.System)).ReadAsync(LedgerSample.Campaign, default);
}
