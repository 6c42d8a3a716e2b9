using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Two of the real programs on one PostgreSQL, with one sandbox.</summary>
internal sealed class SiloPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StartEvery = TimeSpan.FromSeconds(1);
    private readonly TemporaryFolder _keys;

    private SiloPair(CampaignBench bench, TestApplication other, TemporaryFolder keys) => (Bench, Other, _keys) = (bench, other, keys);

    /// <summary>With the first silo.</summary>
    public CampaignBench Bench { get; }

    public TestApplication Other { get; }

    public IEnumerable<TestApplication> Silos => [Bench.Application, Other];

    public static async Task<SiloPair> StartAsync(PostgresServer server, params string[] settings)
    {
        var keys = new TemporaryFolder();
        string[] both =
        [
            $"--ConnectionStrings:Postgres={await server.NewDatabaseAsync(TestContext.Current.CancellationToken)}",
            $"--Secrets:KeyFile={keys.Path}/secret.key",
            "--Dispatch:AllowedNetworks:0=127.0.0.1",
            .. settings,
        ];
        var bench = await CampaignBench.StartAsync("PostgreSql", server, settings: both);
        var pair = new SiloPair(bench, await TestApplication.StartAsync(StorageEngine.PostgreSql, server, both), keys);
        // So that lanes are placed at both from the first one on.
        await Task.WhenAll(pair.Silos.Select(static silo => Meeting.PlacingAsync(silo, 2)));
        return pair;
    }

    /// <summary>Starts campaigns until both silos are where they should be. Their partitions send by turns from one silo and the other.</summary>
    public async Task<List<long>> StartUntilAsync(long provider, Func<TestApplication, bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        var campaigns = new List<long>();
        do
        {
            campaigns.Add(await Bench.CampaignAsync(provider));
            await Bench.ActAsync(campaigns[^1], "start");
        }
        while (!await UntilAsync(() => Silos.All(reached), StartEvery, patience.Token));

        return campaigns;
    }

    /// <summary>False when it is not so within the time.</summary>
    public static async Task<bool> UntilAsync(Func<bool> isSo, TimeSpan within, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            if (TimeProvider.System.GetElapsedTime(began) > within)
            {
                return false;
            }

            await Task.Delay(10, cancellationToken);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await Bench.DisposeAsync();
        _keys.Dispose();
    }
}
