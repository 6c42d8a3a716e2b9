using System.Globalization;
using GenericHttpEsp.Api;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using Spectre.Console;

namespace GenericHttpEsp.Wiring;

/// <summary>The verb <c>demo</c>: the server and a sandbox ESP in one process, and a client that shows a campaign. The server is the real one, with its own configuration.</summary>
internal static class DemoProgram
{
    // The same port again when it is free: a campaign that a killed demo left behind then finds its ESP.
    private const int SandboxPort = 9080;

    public static async Task<int> RunAsync(string[] args, bool exit)
    {
        var started = new StartedSignal();
        try
        {
            var configuration = ServeProgram.Configuration(args);
            var urls = ListenAddresses.NextFree(configuration["Urls"]!);
            if (urls != configuration["Urls"])
            {
                Console.WriteLine($"{configuration["Urls"]} is in use: the demo takes {urls}");
            }

            var storage = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
            var key = await DemoKey.TakeAsync(configuration["Api:BootstrapKey"], storage.DataDirectory);
            await using var sandbox = await SandboxHost.StartAsync(
                DemoSandbox.Options(new Uri(ListenAddresses.NextFree($"http://127.0.0.1:{SandboxPort}")).Port), TimeProvider.System, CancellationToken.None);
            await using var app = await ServeProgram.BuildAsync(ServerArgs(args, urls, key, sandbox.Address), started);
            await app.StartAsync();
            started.Set();
            var holds = await ShowAsync(app, sandbox, key, exit);
            if (exit)
            {
                await app.StopAsync();
            }
            else
            {
                await app.WaitForShutdownAsync();
            }

            return holds ? 0 : 1;
        }
        catch (Exception refusal) when (!started.IsSet && StartRefusal.Explain(refusal) is { } line)
        {
            await Console.Error.WriteLineAsync($"GenericHttpEsp cannot start: {line}");
            return 1;
        }
    }

    private static string[] ServerArgs(string[] args, string urls, DemoKey key, Uri sandbox) =>
    [
        // Before the user's own, which win: the screen belongs to the demo, warnings excepted.
        "--Logging:LogLevel:Default=Warning",
        .. args,
        $"--Urls={urls}",
        $"--Api:BootstrapKey={key.Value}",
        // A name for an index: beside whatever the operator allows.
        string.Create(CultureInfo.InvariantCulture, $"--Dispatch:AllowedNetworks:demo={sandbox.Host}:{sandbox.Port}"),
    ];

    /// <returns>Whether the campaigns added up; true also when somebody stopped the demo, since they go on at the next start.</returns>
    private static async Task<bool> ShowAsync(WebApplication app, SandboxHost sandbox, DemoKey key, bool exit)
    {
        var server = new Uri(app.Services.GetRequiredService<ServerAddresses>().Listening);
        var stopping = app.Lifetime.ApplicationStopping;
        Console.WriteLine($"GenericHttpEsp listens on {server.GetLeftPart(UriPartial.Authority)}");
        Console.WriteLine($"Sandbox ESP listens on {sandbox.Address.GetLeftPart(UriPartial.Authority)}: it takes mail like an ESP and delivers none");
        Console.WriteLine();
        using var client = new HttpClient { BaseAddress = server, DefaultRequestHeaders = { Authorization = new("Bearer", key.Value) } };
        var screen = new DemoScreen(AnsiConsole.Console, !Console.IsOutputRedirected, TimeProvider.System);
        try
        {
            var (provider, holds) = await new DemoStory(new DemoApi(client), server, sandbox, screen, TimeProvider.System).TellAsync(stopping);
            foreach (var line in exit ? [] : DemoNext.Lines(server, provider, key.Command))
            {
                screen.Plain(line);
            }

            return holds;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return true;
        }
        catch (Exception failure) when (failure is DemoException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync($"The demo ends: {failure.Message}");
            return false;
        }
    }
}
