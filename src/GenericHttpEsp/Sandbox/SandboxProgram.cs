using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;

namespace GenericHttpEsp.Sandbox;

/// <summary>The stand-in ESP as a process of its own, until SIGTERM or Ctrl-C.</summary>
internal static class SandboxProgram
{
    private const int BadConfiguration = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await using var host = await SandboxHost.StartAsync(Read(args), TimeProvider.System, CancellationToken.None);
            await Console.Out.WriteLineAsync($"Sandbox ESP listens on {host.Address}");
            await stop.Task;
            return 0;
        }
        catch (Exception error) when (error is ValidationException or InvalidOperationException or FormatException or IOException)
        {
            await Console.Error.WriteLineAsync($"The sandbox cannot start: {error.Message}");
            return BadConfiguration;
        }
    }

    internal static SandboxOptions Read(string[] args)
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
            .AddEnvironmentVariables()
            .AddCommandLine(args)
            .Build();
        return configuration.GetSection(SandboxOptions.Section).Get<SandboxOptions>(binder => binder.ErrorOnUnknownConfiguration = true)
            ?? new SandboxOptions();
    }
}
