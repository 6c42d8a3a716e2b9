namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Three silos for the faults that no silo ends of; each test has a list of its own.</summary>
public sealed class UnharmedCluster(ClusterPostgres postgres) : IAsyncLifetime
{
    internal ClusterBench Bench { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Bench = await ClusterBench.StartAsync(await postgres.ServerAsync());

    public ValueTask DisposeAsync() => Bench.DisposeAsync();
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class UnharmedFire : ICollectionFixture<UnharmedCluster>
{
    public const string Name = "unharmed cluster";
}
