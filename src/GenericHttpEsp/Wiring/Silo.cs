using System.Net;
using System.Net.NetworkInformation;
using System.Text.Json;
using System.Text.Json.Serialization;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Storage;
using Orleans.Configuration;
using Orleans.Serialization;

namespace GenericHttpEsp.Wiring;

/// <summary>The silo in this process: alone on loopback over SQLite, or one of many over PostgreSQL.</summary>
internal static class Silo
{
    private const int ClusterSiloPort = 11111;
    private const int ClusterGatewayPort = 30000;
    private const int KnownGrainsMax = 20_000;

    public static void AddSilo(this WebApplicationBuilder builder)
    {
        var cluster = builder.Configuration.GetSection(ClusterOptions.Section).Get<ClusterOptions>() ?? new ClusterOptions();
        var storage = builder.Configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
        var postgres = builder.Configuration.GetConnectionString("Postgres");
        builder.UseOrleans(silo =>
        {
            if (string.IsNullOrEmpty(postgres))
            {
                AddEmbedded(silo, cluster, SqliteFiles.ConnectionString(SqliteFiles.Grains(storage)));
            }
            else
            {
                AddClustered(silo, cluster, postgres);
            }

            AddCommon(silo, cluster);
        });
        // One budget for all that stops; the silo's stages take it in turn, so nothing may stop concurrently.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(cluster.ShutdownSeconds));
    }

    private static void AddEmbedded(ISiloBuilder silo, ClusterOptions cluster, string grains)
    {
        silo.UseLocalhostClustering(cluster.SiloPort ?? FreePort.Take(), cluster.GatewayPort ?? 0, null, cluster.ServiceId, cluster.ClusterId);
        silo.AddAdoNetGrainStorage(StorageNames.Grains, options => (options.Invariant, options.ConnectionString) = ("System.Data.SQLite", grains));
    }

    private static void AddClustered(ISiloBuilder silo, ClusterOptions cluster, string postgres)
    {
        silo.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(cluster.ProbeSeconds);
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(cluster.RenewalSeconds);
            options.TableRefreshTimeout = TimeSpan.FromSeconds(cluster.RenewalSeconds);
        });
        silo.Services.AddSingleton<IFatalErrorHandler, SiloEnd>();
        silo.Services.AddHostedService<SiloWatch>();
        silo.Services.AddHostedService<LaneMoves>();
        silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", postgres));
        silo.AddAdoNetGrainStorage(StorageNames.Grains, options => (options.Invariant, options.ConnectionString) = ("Npgsql", PostgresLedger.Settings(postgres)));
        silo.ConfigureEndpoints(
            IPAddress.Parse(cluster.AdvertisedAddress),
            cluster.SiloPort ?? ClusterSiloPort,
            cluster.GatewayPort ?? ClusterGatewayPort,
            // The address of a router in front is not ours to listen on; else nobody but those who can reach the address should get to the ports.
            listenOnAnyHostAddress: !IsOwn(IPAddress.Parse(cluster.AdvertisedAddress)));
    }

    private static void AddCommon(ISiloBuilder silo, ClusterOptions cluster)
    {
        // People come by in millions: each that is kept, and each that is only known where to find, costs as much memory after its last event as before.
        silo.Configure<GrainCollectionOptions>(static options =>
        {
            options.CollectionQuantum = TimeSpan.FromSeconds(10);
            options.ClassSpecificCollectionAge[typeof(RecipientGrain).FullName!] = TimeSpan.FromSeconds(30);
        });
        silo.Configure<GrainDirectoryOptions>(static options => options.CacheSize = KnownGrainsMax);
        silo.AddPlacementDirector<LanePlacement, LanePlacementDirector>();
        // Rows without the names of our types: a renamed class must still read its rows. Property names are the format.
        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.Services.Configure<SystemTextJsonGrainStorageSerializerOptions>(
            options => options.JsonSerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false)));
        silo.AddMemoryStreams(StorageNames.Progress);
        silo.AddMemoryGrainStorage("PubSubStore");
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.MaxEnqueuedRequestsHardLimit = cluster.WaitingCallsMax;
            options.ResponseTimeout = TimeSpan.FromSeconds(cluster.ResponseTimeoutSeconds);
            options.SystemResponseTimeout = TimeSpan.FromSeconds(cluster.ResponseTimeoutSeconds);
        });
        silo.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(cluster.ResponseTimeoutSeconds));
    }

    private static bool IsOwn(IPAddress address) => IPAddress.IsLoopback(address) || NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(static network => network.GetIPProperties().UnicastAddresses).Any(own => own.Address.Equals(address));
}
