using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace GenericHttpEsp.SystemTests;

/// <summary>The built program in a process of its own, with a signal for its end as operators have it.</summary>
internal sealed class ServerProcess : IDisposable
{
    public const string Key = "system-test-key-system-test-key-0";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<string> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process) => _process = process;

    public string Output => string.Join('\n', _output);

    public HttpClient Client { get; } = new() { DefaultRequestHeaders = { Authorization = new("Bearer", Key) } };

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    public static ServerProcess Start(string folder, params string[] more) => Start(new ServerLaunch(folder, more));

    public static ServerProcess Start(ServerLaunch launch)
    {
        string[] command = [.. launch.Prefix, "dotnet", launch.Program, .. launch.Arguments];
        string[] args = [.. command[1..], $"--Urls={launch.Urls}", $"--Storage:DataDirectory={launch.Folder}", $"--Api:BootstrapKey={Key}"];
        var start = new ProcessStartInfo(command[0], args) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = launch.Folder };
        if (!Cluster.FireSize.IsFull)
        {
            // It lives for seconds: what the runtime learns of it for later costs a sixth of its time.
            start.Environment["DOTNET_TieredPGO"] = "0";
        }

        if (launch.FailPoint is not null)
        {
            start.Environment["GHE_FAILPOINT"] = launch.FailPoint;
        }

        var server = new ServerProcess(new Process { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Take(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Take(line.Data);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Waits until it listens.</summary>
    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        var ended = _process.WaitForExitAsync(cancellationToken);
        if (await Task.WhenAny(_listening.Task, ended).WaitAsync(Patience, cancellationToken) == ended)
        {
            throw new InvalidOperationException($"The program ended:\n{Output}");
        }

        Client.BaseAddress = new Uri(await _listening.Task);
    }

    public async Task<HttpStatusCode> GetAsync(string path, CancellationToken cancellationToken) =>
        (await Client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken)).StatusCode;

    /// <param name="signal"><c>TERM</c> or <c>KILL</c>.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> SignalAsync(string signal, CancellationToken cancellationToken)
    {
        await SendAsync(signal, cancellationToken);
        return await EndAsync(cancellationToken);
    }

    /// <summary>A signal that the process survives: <c>STOP</c>, <c>CONT</c>.</summary>
    public async Task SendAsync(string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Waits until all threads stand still.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        // The kernel tells nobody but the parent's waitpid, which the runtime keeps to itself.
        while (!(await File.ReadAllTextAsync($"/proc/{_process.Id}/stat", limit.Token)).Contains(") T ", StringComparison.Ordinal))
        {
            await tick.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The most memory it has had resident, since its start or <see cref="ForgetPeakAsync"/>.</summary>
    public Task<int> PeakMegabytesAsync(CancellationToken cancellationToken) => MegabytesAsync("VmHWM:", cancellationToken);

    /// <summary>From now on the peak counts anew. Answers what is resident now.</summary>
    public async Task<int> ForgetPeakAsync(CancellationToken cancellationToken)
    {
        // proc(5): 5 resets the peak to what is resident.
        await File.WriteAllTextAsync($"/proc/{_process.Id}/clear_refs", "5", cancellationToken);
        return await MegabytesAsync("VmRSS:", cancellationToken);
    }

    private async Task<int> MegabytesAsync(string name, CancellationToken cancellationToken)
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{_process.Id}/status", cancellationToken);
        var peak = lines.Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return int.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture) / 1024;
    }

    public async Task<int> EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        Client.Dispose();
    }

    private void Take(string? line)
    {
        const string Mark = "GenericHttpEsp listens on ";
        if (line is null)
        {
            return;
        }

        _output.Enqueue(line);
        if (line.StartsWith(Mark, StringComparison.Ordinal))
        {
            _listening.TrySetResult(line[Mark.Length..]);
        }
    }
}
