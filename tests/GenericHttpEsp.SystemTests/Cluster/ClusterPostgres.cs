namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>One PostgreSQL for all cluster tests; each has a database of its own. Tests that harm the server itself start their own.</summary>
public sealed class ClusterPostgres : IAsyncLifetime
{
    internal PostgresProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresProcess.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>One after the other and beside nothing else: silos that starve declare each other dead, and that is a fault of its own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterFire : ICollectionFixture<ClusterPostgres>
{
    public const string Name = "cluster";
}
