using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>Two of the real programs on one PostgreSQL, with one sandbox.</summary>
internal sealed class SiloPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
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
        return new SiloPair(bench, await TestApplication.StartAsync(StorageEngine.PostgreSql, server, both), keys);
    }

    /// <summary>Starts campaigns at one silo after the other, whose grains stay near, until both silos are where they should be.</summary>
    public async Task<List<long>> StartUntilAsync(long provider, Func<TestApplication, bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        var campaigns = new List<long>();
        while (!Silos.All(reached))
        {
            var door = CampaignBench.On(campaigns.Count % 2 == 0 ? Bench.Application : Other, Bench.Sandbox);
            campaigns.Add(await door.CampaignAsync(provider));
            await door.ActAsync(campaigns[^1], "start");
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            // A lane stays where its first partition was placed, and Orleans may place all eight at one silo: then there is no second line to look at.
            Assert.SkipWhen(patience.IsCancellationRequested, "Orleans placed all dispatchers of the provider at one silo.");
        }

        return campaigns;
    }

    public async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await Bench.DisposeAsync();
        _keys.Dispose();
    }
}
