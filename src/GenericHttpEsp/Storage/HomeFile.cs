using System.Security.Cryptography;

namespace GenericHttpEsp.Storage;

/// <summary>A small file in the data directory with words that the database has too. It belongs to no backup.</summary>
/// <param name="directory">The data directory.</param>
/// <param name="name"><c>home</c> of the embedded databases, <c>beat</c> of a PostgreSQL server.</param>
internal sealed class HomeFile(string directory, string name = "home")
{
    private readonly string _path = Path.Combine(directory, name);

    public static string NewWord() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static string Join(string word, string born) => $"{word} {born}";

    public static (string Word, string Born)? Split(string? home) => home?.Split(' ', 2) is [var word, var born] ? (word, born) : null;

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
