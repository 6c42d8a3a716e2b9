[assembly: AssemblyFixture(typeof(GenericHttpEsp.SystemTests.Cluster.ClusterPostgres))]

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>One PostgreSQL for all cluster tests, started by the first; each cluster has a database of its own. Tests that harm the server itself start their own.</summary>
public sealed class ClusterPostgres : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresProcess>> _server = new(static () => PostgresProcess.StartAsync());

    internal Task<PostgresProcess> ServerAsync() => _server.Value;

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
        {
            await (await _server.Value).DisposeAsync();
        }
    }
}

/// <summary>One after the other and beside nothing else: silos that starve declare each other dead, and that is a fault of its own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterFire
{
    public const string Name = "cluster";
}
