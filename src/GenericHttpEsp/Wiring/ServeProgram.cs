using GenericHttpEsp.Api;
using GenericHttpEsp.Callbacks;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Content;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace GenericHttpEsp.Wiring;

/// <summary>The server: every slice is added and mapped here, in the order of the data's way.</summary>
internal static class ServeProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        var started = new StartedSignal();
        try
        {
            await using var app = await BuildAsync(args, started);
            // Kestrel binds after the silo has started: found out here, nothing has to be stopped again.
            ListenAddresses.RefuseTaken(app.Configuration["Urls"]);
            await app.StartAsync();
            started.Set();
            Console.WriteLine($"GenericHttpEsp listens on {app.Services.GetRequiredService<ServerAddresses>().Listening}");
            await app.WaitForShutdownAsync();
            // 0, unless the silo had to end.
            return Environment.ExitCode;
        }
        catch (Exception refusal) when (!started.IsSet && StartRefusal.Explain(refusal) is { } line)
        {
            await Console.Error.WriteLineAsync($"GenericHttpEsp cannot start: {line}");
            return StartRefusal.ExitCode(refusal);
        }
    }

    /// <summary>The whole application, prepared and mapped, not started.</summary>
    /// <param name="configure">What a test replaces.</param>
    /// <param name="map">What a test maps beside the real routes.</param>
    public static async Task<WebApplication> BuildAsync(
        string[] args, StartedSignal? started = null, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        AddDefaults(builder.Configuration);
        builder.Logging.AddQuietConsole(started);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddStorage();
        builder.Services.AddApi();
        builder.AddSilo();
        builder.Services.AddProviders();
        builder.Services.AddDispatch(
            clusterWide: builder.Configuration.GetConnectionString("Postgres") is { Length: > 0 },
            static async (provider, cancellationToken) => await provider.GetRequiredService<CampaignWorkStore>().AnyAsync(cancellationToken));
        builder.Services.AddCampaigns();
        builder.Services.AddRecipients();
        builder.Services.AddCallbacks();
        builder.Services.AddStats();
        configure?.Invoke(builder);

        var app = builder.Build();
        try
        {
            await app.Services.GetRequiredService<Installation>().PrepareAsync(CancellationToken.None);
            app.UseApi();
            app.MapApi();
            app.MapHealth();
            app.MapProviders();
            app.MapCampaigns();
            map?.Invoke(app);
            app.MapRecipients();
            app.MapCallbacks();
            app.MapStats();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the server started with these arguments would be configured with.</summary>
    public static IConfiguration Configuration(string[] args)
    {
        var configuration = WebApplication.CreateBuilder(args).Configuration;
        AddDefaults(configuration);
        return configuration;
    }

    private static void AddStorage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<StorageOptions>().BindConfiguration(StorageOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<SecretsOptions>().BindConfiguration(SecretsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AccountOptions>().BindConfiguration(AccountOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ClusterOptions>().BindConfiguration(ClusterOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        if (builder.Configuration.GetConnectionString("Postgres") is { Length: > 0 } postgres)
        {
            services.AddSingleton(static _ => new ClusterTime(TimeProvider.System));
            services.AddSingleton<TimeProvider>(static provider => provider.GetRequiredService<ClusterTime>());
            services.AddSingleton(_ => PostgresLedger.Source(postgres));
            services.AddSingleton<LedgerDatabase, PostgresLedger>();
        }
        else
        {
            services.AddSingleton<LedgerDatabase, SqliteLedger>();
        }

        // Made first (the installation is prepared before the silo starts), so the container disposes the ledger after all that uses it, and the lock after the ledger.
        services.AddSingleton<DirectoryLock>();
        services.AddSingleton<DatabaseBeat>();
        services.AddHostedService(static provider => provider.GetRequiredService<DatabaseBeat>());
        services.AddSingleton<DatabaseHome>();
        services.AddSingleton<DatabaseWait>();
        services.AddSingleton<OtherClusters>();
        services.AddSingleton<Installation>();
        services.AddSingleton<GrainStates>();
        services.AddOptions<RetentionOptions>().BindConfiguration(RetentionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<MonthPartitions>();
        services.AddSingleton<Retention>();
        services.AddSingleton<RetentionSweeper>();
        services.AddHostedService(static provider => provider.GetRequiredService<RetentionSweeper>());
        services.AddSingleton(static _ => new Random());
        services.AddSingleton(static provider => new MetaKeyRing(
            [.. provider.GetRequiredService<InstallationKeys>().Meta.Reverse().Select(static key => new MetaKey(key.Id, key.Key))]));
        services.AddSingleton(static provider => provider.GetRequiredService<Installation>().Keys);
    }

    // Below everything an operator can set: files, environment and command line stand above.
    private static void AddDefaults(ConfigurationManager configuration) => ((IConfigurationBuilder)configuration).Sources.Insert(
        0,
        new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Urls"] = "http://localhost:8080",
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft"] = "Warning",
                ["Logging:LogLevel:Orleans"] = "Warning",
                ["Logging:LogLevel:Polly"] = "Warning",
                ["Logging:LogLevel:System"] = "Warning",
            },
        });
}
