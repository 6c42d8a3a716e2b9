using GenericHttpEsp.Wiring;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>One place in the cluster: a directory and ports that stay the same through all its processes, as those of a machine do.</summary>
/// <param name="folder">Its own.</param>
/// <param name="arguments">What all silos are started with.</param>
/// <param name="network">Its number in a <see cref="SiloNetwork"/>; null on this machine's loopback.</param>
internal sealed class ClusterSilo(string folder, string[] arguments, int? network = null) : IDisposable
{
    private const int MegabytesMax = 400;
    private ServerProcess? _server;

    public ServerProcess Server => _server ?? throw new InvalidOperationException("It was not started.");

    public bool IsUp { get; private set; }

    public int SiloPort { get; private set; } = FreePort.Take();

    public int GatewayPort { get; private set; } = FreePort.Take();

    /// <summary>Everything its processes said.</summary>
    public string Output { get; private set; } = "";

    /// <summary>From now on its processes have another address, as a new pod has.</summary>
    public void Move() => (SiloPort, GatewayPort) = (FreePort.Take(), FreePort.Take());

    /// <summary>Starts the program, which may end before it listens.</summary>
    public void Launch(string? failPoint = null, string? program = null)
    {
        Forget();
        Directory.CreateDirectory(folder);
        var launch = new ServerLaunch(folder, [.. arguments, $"--Cluster:SiloPort={SiloPort}", $"--Cluster:GatewayPort={GatewayPort}"]) { FailPoint = failPoint };
        if (network is { } number)
        {
            var address = SiloNetwork.Address(number);
            launch = launch with
            {
                Prefix = SiloNetwork.Prefix(number),
                Urls = $"http://{address}:0",
                Arguments = [.. launch.Arguments, $"--Cluster:AdvertisedAddress={address}"],
            };
        }

        _server = ServerProcess.Start(program is null ? launch : launch with { Program = program });
    }

    /// <summary>Waits until it takes part and listens.</summary>
    public async Task ListenAsync()
    {
        await Server.ListenAsync(TestContext.Current.CancellationToken);
        IsUp = true;
    }

    public Task StartAsync(string? failPoint = null, string? program = null)
    {
        Launch(failPoint, program);
        return ListenAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        IsUp = false;
        Assert.NotEqual(0, await Server.SignalAsync("KILL", TestContext.Current.CancellationToken));
    }

    /// <summary>SIGTERM; it ends with 0, and it never took more memory than it may.</summary>
    public async Task TermAsync()
    {
        IsUp = false;
        Assert.False(Server.HasEnded, $"It ended by itself:\n{Server.Output}");
        Assert.InRange(await Server.PeakMegabytesAsync(TestContext.Current.CancellationToken), 0, MegabytesMax);
        var code = await Server.SignalAsync("TERM", TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"It ended with {code}:\n{Server.Output}");
    }

    /// <summary>SIGSTOP; returns when it stands still.</summary>
    public async Task StopAsync()
    {
        IsUp = false;
        await Server.SendAsync("STOP", TestContext.Current.CancellationToken);
        await Server.StoppedAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>SIGCONT.</summary>
    public Task ContinueAsync()
    {
        IsUp = true;
        return Server.SendAsync("CONT", TestContext.Current.CancellationToken);
    }

    /// <summary>It ends by itself; answers the exit code.</summary>
    public Task<int> EndAsync()
    {
        IsUp = false;
        return Server.EndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>It ends itself at its fail point.</summary>
    public async Task CrashAsync()
    {
        Assert.NotEqual(0, await EndAsync());
        Assert.Contains("Fail point ", Server.Output, StringComparison.Ordinal);
    }

    public void Dispose() => Forget();

    private void Forget()
    {
        IsUp = false;
        Output += _server?.Output;
        _server?.Dispose();
        _server = null;
    }
}
