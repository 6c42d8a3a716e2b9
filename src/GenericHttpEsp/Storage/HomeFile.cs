using System.Globalization;
using System.Security.Cryptography;

namespace GenericHttpEsp.Storage;

/// <summary>The file <c>home</c> beside the embedded databases: the word that the database has too. It belongs to no backup.</summary>
internal sealed class HomeFile(string directory)
{
    private readonly string _path = Path.Combine(directory, "home");

    public static string NewWord() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string Join(string word, string madeAt) => $"{word} {madeAt}";

    public static (string Word, string MadeAt)? Split(string? home) => home?.Split(' ', 2) is [var word, var madeAt] ? (word, madeAt) : null;

    /// <summary>
    /// When the file system made a file; every way of copying makes another one. Empty where it does not know: .NET then answers the time of the last change.
    /// </summary>
    public static string MadeAt(string path)
    {
        var made = File.GetCreationTimeUtc(path);
        return made < File.GetLastWriteTimeUtc(path) ? made.Ticks.ToString(CultureInfo.InvariantCulture) : "";
    }

    public async Task<string[]> ReadAsync(CancellationToken cancellationToken) => File.Exists(_path) ? await File.ReadAllLinesAsync(_path, cancellationToken) : [];

    /// <summary>The old text or the new one, whatever happens.</summary>
    public async Task WriteAsync(string[] words, CancellationToken cancellationToken)
    {
        await using (var file = new FileStream($"{_path}.new", FileMode.Create, FileAccess.Write, FileShare.None, 4096, FileOptions.WriteThrough))
        await using (var text = new StreamWriter(file))
        {
            await text.WriteAsync(string.Join('\n', words).AsMemory(), cancellationToken);
        }

        File.Move($"{_path}.new", _path, overwrite: true);
    }
}
