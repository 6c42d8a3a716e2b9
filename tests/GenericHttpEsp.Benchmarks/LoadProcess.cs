using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace GenericHttpEsp.Benchmarks;

/// <summary>The built program as a process of its own, as server or as sandbox ESP.</summary>
internal sealed class LoadProcess : IDisposable
{
    private const string Mark = " listens on ";
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LoadProcess(Process process) => _process = process;

    public IEnumerable<string> Output => _output;

    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<(LoadProcess Process, Uri Address)> StartAsync(string folder, IReadOnlyList<string> args, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "GenericHttpEsp.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        var started = new LoadProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        started._process.OutputDataReceived += (_, line) => started.Take(line.Data);
        started._process.ErrorDataReceived += (_, line) => started.Take(line.Data);
        started._process.Exited += (_, _) => started._listening.TrySetException(new InvalidOperationException(string.Join('\n', started._output)));
        started._process.Start();
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        return (started, await started._listening.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken));
    }

    /// <summary>The most memory it ever had, by the kernel.</summary>
    public async Task<long> PeakBytesAsync(CancellationToken cancellationToken)
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{_process.Id}/status", cancellationToken);
        var peak = lines.First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal))["VmHWM:".Length..^" kB".Length];
        return long.Parse(peak.Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync(cancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _output.Enqueue(line);
        if (line.IndexOf(Mark, StringComparison.Ordinal) is var at && at >= 0)
        {
            _listening.TrySetResult(new Uri(line[(at + Mark.Length)..]));
        }
    }
}
