using System.Reflection;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class CampaignSweeperTests(PostgresServer server)
{
    private const long Campaign = 7;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A grain takes its calls in turn: pokes that come faster than it answers them would stand in line before the operator's stop.</summary>
    [Fact]
    public async Task Campaign_ThatIsStillBeingPoked_IsNotPokedAgain()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var (time, grains) = (new FakeTimeProvider(), DispatchProxy.Create<IGrainFactory, PokedFactory>());
        var pokes = ((PokedFactory)grains).Pokes;
        using var sweeper = await SweepAsync(ledger.Database, grains, time);
        Assert.True(await SiloPair.UntilAsync(() => pokes.Count == 1, Patience, Stop));

        for (var round = 0; round < 5; round++)
        {
            await DueAgainAsync(ledger.Database);
            time.Advance(Every);
            await TakenAsync(ledger.Database);
        }

        Assert.Equal(1, pokes.Count);
        pokes.Answer.SetResult();
        while (pokes.Count == 1)
        {
            await DueAgainAsync(ledger.Database);
            time.Advance(Every);
            await TakenAsync(ledger.Database);
        }

        await sweeper.StopAsync(Stop);
    }

    /// <summary>Some other wait that was cancelled is no reason to end: nobody would poke any campaign at this silo again.</summary>
    [Fact]
    public async Task Sweep_InWhichSomethingIsCancelled_IsFollowedByTheNext()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var (time, grains, cancelled) = (new FakeTimeProvider(), DispatchProxy.Create<IGrainFactory, PokedFactory>(), 0);
        ledger.Database.BeforeStatement = statement =>
            _ = statement.StartsWith("select value from settings", StringComparison.Ordinal) && cancelled++ == 0 ? throw new OperationCanceledException() : 0;
        using var sweeper = await SweepAsync(ledger.Database, grains, time);
        Assert.True(await SiloPair.UntilAsync(() => Volatile.Read(ref cancelled) > 0, Patience, Stop));

        time.Advance(Every);

        Assert.True(await SiloPair.UntilAsync(() => ((PokedFactory)grains).Pokes.Count > 0, Patience, Stop), "Nobody sweeps any more.");
        await sweeper.StopAsync(Stop);
    }

    private static async Task<CampaignSweeper> SweepAsync(LedgerDatabase database, IGrainFactory grains, TimeProvider time)
    {
        var work = new CampaignWorkStore(database);
        await work.AddAsync(Campaign, due: null, revision: 1, Stop);
        var sweeper = new CampaignSweeper(work, new RestoreHold(database, null!, grains, NullLogger<RestoreHold>.Instance), grains, time, NullLogger<CampaignSweeper>.Instance);
        await sweeper.StartAsync(Stop);
        return sweeper;
    }

    /// <summary>As if two seconds of the database's clock had gone by.</summary>
    private static Task<int> DueAgainAsync(LedgerDatabase database) =>
        database.WriteAsync(WriteKind.Event, static session => session.ExecuteAsync("update campaign_work set poked_at = 0"), cancellationToken: Stop);

    private static async Task TakenAsync(LedgerDatabase database)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Patience);
        while (await database.ReadAsync(static session => session.FirstAsync("select poked_at from campaign_work", static row => row.GetInt64(0)), limit.Token) == 0)
        {
            await Task.Yield();
        }
    }
}

/// <summary>All grains are one campaign's, which counts its pokes and answers them when it may.</summary>
public class PokedFactory : DispatchProxy
{
    private readonly ICampaignGrain _campaign = Create<ICampaignGrain, PokedCampaign>();

    internal Poked Pokes => ((PokedCampaign)_campaign).Pokes;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _campaign;
}

public class PokedCampaign : DispatchProxy
{
    internal Poked Pokes { get; } = new();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(ICampaignGrain.PokeAsync) ? Pokes.Take() : throw new NotSupportedException(targetMethod.Name);
}

internal sealed class Poked
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Take()
    {
        Interlocked.Increment(ref _count);
        return Answer.Task;
    }
}
