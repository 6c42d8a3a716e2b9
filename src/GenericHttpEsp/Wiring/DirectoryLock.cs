using GenericHttpEsp.Storage;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// Two programs on one data directory would both send. The lock is the operating system's: it ends with the process, however that ends.
/// </summary>
internal sealed class DirectoryLock(IOptions<StorageOptions> storage) : IDisposable
{
    private FileStream? _file;

    /// <exception cref="InvalidOperationException">Another program has it.</exception>
    public void Take()
    {
        var path = Path.GetFullPath(Path.Combine(Create(storage.Value.DataDirectory).FullName, "lock"));
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken)
        {
            throw new InvalidOperationException(
                $"Another GenericHttpEsp runs on {Path.GetDirectoryName(path)}. Stop it, or give this one its own Storage:DataDirectory.", taken);
        }
    }

    /// <summary>The data directory, for this user alone when it is made here: the databases in it hold everybody's address.</summary>
    public static DirectoryInfo Create(string path) => OperatingSystem.IsWindows()
        ? Directory.CreateDirectory(path)
        : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    public void Dispose() => _file?.Dispose();
}
