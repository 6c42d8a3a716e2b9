using System.Diagnostics;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>A disk in memory that can be filled and freed; the test is skipped where nobody may mount one.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _mount = Directory.CreateTempSubdirectory("ghe-fire-disk-").FullName;

    private string Filler => Path.Combine(_mount, "filler");

    public static async Task<SmallDisk> MountAsync(int megabytes)
    {
        var disk = new SmallDisk();
        Assert.SkipUnless(
            Environment.UserName == "root" && await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=1777", "tmpfs", disk._mount),
            "Mounting a tmpfs takes root.");
        return disk;
    }

    public string Folder(string name) => Path.Combine(_mount, name);

    /// <summary>Leaves no room at all.</summary>
    public async Task FillAsync()
    {
        var megabyte = new byte[1 << 20];
        await using var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = megabyte.Length; size >= 4096;)
        {
            try
            {
                await file.WriteAsync(megabyte.AsMemory(0, size));
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", "-l", _mount);
        Directory.Delete(_mount, recursive: true);
    }

    private static async Task<bool> RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
