using GenericHttpEsp.Api;

namespace GenericHttpEsp.Wiring;

/// <summary>
/// The key with which the demo calls the API. The operator's <c>Api:BootstrapKey</c> when there is one. Else a key of its own in the data directory, beside
/// <c>secret.key</c> and as private as that: made once, so that a second demo has it too, and never printed. To the server it is the bootstrap key, of which
/// the database holds the hash; it can be revoked like any other.
/// </summary>
internal sealed record DemoKey(string Value, string? File)
{
    private const string FileName = "demo.key";

    /// <summary>For a POSIX shell.</summary>
    public string Command => File is null ? "'your Api:BootstrapKey'" : $"$(cat '{File.Replace("'", "'\\''", StringComparison.Ordinal)}')";

    /// <exception cref="InvalidOperationException">The file holds something else.</exception>
    public static async Task<DemoKey> TakeAsync(string? configured, string dataDirectory)
    {
        if (configured is { Length: > 0 })
        {
            return new DemoKey(configured, null);
        }

        // Whole, since another terminal stands in another folder.
        var path = Path.GetFullPath(Path.Combine(dataDirectory, FileName));
        if (!System.IO.File.Exists(path))
        {
            DirectoryLock.Create(dataDirectory);
            await MakeAsync(path);
        }

        var value = (await System.IO.File.ReadAllTextAsync(path)).Trim();
        return ApiKeyFormat.IsPlausible(value) ? new DemoKey(value, path) : throw new InvalidOperationException($"{path} holds no API key. Delete it; the demo makes a new one.");
    }

    private static async Task MakeAsync(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new StreamWriter(path, options);
        await file.WriteLineAsync(ApiKeyFormat.New());
    }
}
