using System.Net.Http.Headers;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Wiring;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>
/// The real application in this process: the program's own builder, a real port, a silo, a folder (or a database) of its own. <see cref="RestartAsync"/>
/// starts it again on the same data.
/// </summary>
internal sealed class TestApplication : IAsyncDisposable
{
    public const string Key = "test-key-test-key-test-key-test-key";

    private readonly string[] _args;
    private readonly Action<WebApplicationBuilder>? _configure;
    private readonly Action<WebApplication>? _map;
    private WebApplication? _app;
    private HttpClient? _client;

    private TestApplication(string folder, string[] args, Action<WebApplicationBuilder>? configure, Action<WebApplication>? map) =>
        (Folder, _args, _configure, _map) = (folder, args, configure, map);

    /// <summary>The data directory.</summary>
    public string Folder { get; }

    /// <summary>Sends the bootstrap key; relative paths.</summary>
    public HttpClient Client => _client ?? throw new InvalidOperationException("Not started.");

    public IServiceProvider Services => _app!.Services;

    /// <summary>Where it listens, without a slash at the end.</summary>
    public string Address => Services.GetRequiredService<ServerAddresses>().Listening;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    /// <param name="settings">More configuration, as on the command line: <c>--Section:Key=value</c>.</param>
    /// <param name="configure">Replaces services; runs last.</param>
    /// <param name="map">Maps routes beside the real ones.</param>
    public static async Task<TestApplication> StartAsync(
        StorageEngine engine = StorageEngine.Sqlite,
        PostgresServer? server = null,
        string[]? settings = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? map = null)
    {
        var folder = Directory.CreateTempSubdirectory("ghe-app-").FullName;
        var args = new List<string>
        {
            "--Urls=http://127.0.0.1:0", $"--Storage:DataDirectory={folder}", $"--Api:BootstrapKey={Key}", "--Logging:LogLevel:Default=Warning",
        };
        if (engine == StorageEngine.PostgreSql)
        {
            args.Add($"--ConnectionStrings:Postgres={await server!.NewDatabaseAsync(TestContext.Current.CancellationToken)}");
            args.Add($"--Secrets:KeyFile={folder}/secret.key");
            args.Add($"--Cluster:SiloPort={FreePort.Take()}");
            args.Add($"--Cluster:GatewayPort={FreePort.Take()}");
        }

        var application = new TestApplication(folder, [.. args, .. settings ?? []], configure, map);
        await application.StartAsync();
        return application;
    }

    /// <summary>A client without a key.</summary>
    public HttpClient Anonymous() => new() { BaseAddress = new Uri(Address) };

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public async Task StopAsync()
    {
        _client?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(TestContext.Current.CancellationToken);
            await _app.DisposeAsync();
        }

        (_app, _client) = (null, null);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task StartAsync()
    {
        var app = await ServeProgram.BuildAsync(
            _args,
            configure: builder =>
            {
                // A run's console is for its results.
                builder.Logging.ClearProviders().AddProvider(new TestOutputLog());
                _configure?.Invoke(builder);
            },
            map: _map);
        try
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        _app = app;
        _client = Anonymous();
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }
}
