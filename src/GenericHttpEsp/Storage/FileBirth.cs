using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace GenericHttpEsp.Storage;

/// <summary>When the file system made a file; every way of copying it makes another. .NET answers the time of the last change on Linux, so the kernel is asked.</summary>
internal static class FileBirth
{
    private const int CurrentDirectory = -100;
    private const uint BirthTime = 0x800;
    // struct statx of linux/stat.h, the same on every architecture.
    private const int Bytes = 256;
    private const int SecondsAt = 80;
    private const int NanosecondsAt = 88;

    /// <summary>Text to compare; empty where the file system or the operating system does not tell.</summary>
    public static string Of(string path)
    {
        var answer = new byte[Bytes];
        return Ask(path, answer) && (BitConverter.ToUInt32(answer) & BirthTime) != 0
            ? string.Create(CultureInfo.InvariantCulture, $"{BitConverter.ToInt64(answer, SecondsAt)}.{BitConverter.ToUInt32(answer, NanosecondsAt):D9}")
            : "";
    }

    private static bool Ask(string path, byte[] answer)
    {
        try
        {
            return OperatingSystem.IsLinux() && StatX(CurrentDirectory, Encoding.UTF8.GetBytes(Path.GetFullPath(path) + '\0'), 0, BirthTime, answer) == 0;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            // An older C library: one way less of finding out.
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "statx"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX(int directory, byte[] path, int flags, uint mask, [Out] byte[] answer);
}
