using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>The program of an earlier commit, built in a work tree of its own. Needs git and that commit in the clone's history.</summary>
internal sealed class PreviousVersion : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-fire-previous-").FullName;

    private PreviousVersion()
    {
    }

    public string Program => Path.Combine(_folder, "program", "GenericHttpEsp.dll");

    /// <summary>The latest commit with another schema than this one's: the parent of the last that touched the migrations. Null in a clone without that much history.</summary>
    public static async Task<string?> BeforeLastMigrationAsync(CancellationToken cancellationToken)
    {
        try
        {
            var last = await RunAsync("git", ["-C", Here(), "log", "-1", "--format=%H", "--", ":/src/GenericHttpEsp/Storage/Migrations"], cancellationToken);
            return (await RunAsync("git", ["-C", Here(), "rev-parse", "--verify", "--quiet", $"{last.Trim()}~1^{{commit}}"], cancellationToken)).Trim();
        }
        catch (Exception failure) when (failure is InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    /// <exception cref="InvalidOperationException">The commit is not here, or does not build; the message says what git or the compiler said.</exception>
    public static async Task<PreviousVersion> BuildAsync(string commit, CancellationToken cancellationToken)
    {
        var previous = new PreviousVersion();
        try
        {
            var tree = Path.Combine(previous._folder, "tree");
            await RunAsync("git", ["-C", Here(), "worktree", "add", "--detach", tree, commit], cancellationToken);
            await RunAsync(
                "dotnet", ["build", Path.Combine(tree, "src", "GenericHttpEsp"), "-o", Path.Combine(previous._folder, "program"), "--nologo", "-v", "q"], cancellationToken);
            return previous;
        }
        catch
        {
            previous.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        using var prune = Process.Start("git", ["-C", Here(), "worktree", "prune"]);
        prune.WaitForExit();
    }

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {string.Concat(output)}");
        }

        return output[0];
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
