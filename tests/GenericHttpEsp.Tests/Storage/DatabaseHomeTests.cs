using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.Logging.Abstractions;

namespace GenericHttpEsp.Tests.Storage;

public sealed class DatabaseHomeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Home => Path.Combine(_folder.Path, "home");

    [Fact]
    public async Task Database_StartedAgainAndAgain_IsNotMarked()
    {
        Assert.Null(await StartAsync(_folder.Path));
        var first = await File.ReadAllTextAsync(Home, Stop);
        Assert.Null(await StartAsync(_folder.Path));
        Assert.NotEqual(first, await File.ReadAllTextAsync(Home, Stop));
        Assert.Null(await StartAsync(_folder.Path));
    }

    [Theory]
    [InlineData("{old}\n{new}")]
    [InlineData("{new}\n{old}")]
    public async Task Database_WhoseStartCrashedBetweenFileAndCommit_IsNotMarked(string words)
    {
        await StartAsync(_folder.Path);
        var word = await File.ReadAllTextAsync(Home, Stop);
        await File.WriteAllTextAsync(Home, words.Replace("{old}", word, StringComparison.Ordinal).Replace("{new}", HomeFile.NewWord(), StringComparison.Ordinal), Stop);
        Assert.Null(await StartAsync(_folder.Path));
    }

    [Fact]
    public async Task Database_WithoutItsHomeFile_IsMarked()
    {
        await StartAsync(_folder.Path);
        File.Delete(Home);
        Assert.NotNull(await StartAsync(_folder.Path));
    }

    [Fact]
    public async Task OlderDatabase_WrittenOverTheNewer_IsMarked()
    {
        await StartAsync(_folder.Path);
        var old = await File.ReadAllBytesAsync(Path.Combine(_folder.Path, "ledger.db"), Stop);
        await StartAsync(_folder.Path);
        // Into the same file: the file system sees nothing.
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "ledger.db"), old, Stop);
        Assert.NotNull(await StartAsync(_folder.Path));
    }

    [Fact]
    public async Task Folder_CopiedAsAWhole_IsMarked()
    {
        await StartAsync(_folder.Path);
        await StartAsync(_folder.Path);
        using var copy = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(_folder.Path))
        {
            File.Copy(file, Path.Combine(copy.Path, Path.GetFileName(file)));
            File.SetLastWriteTimeUtc(Path.Combine(copy.Path, Path.GetFileName(file)), File.GetLastWriteTimeUtc(file));
        }

        Assert.NotNull(await StartAsync(copy.Path));
        Assert.Null(await StartAsync(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A start and a stop; answers the mark.</summary>
    private static async Task<string?> StartAsync(string folder)
    {
        var options = Microsoft.Extensions.Options.Options.Create(new StorageOptions { DataDirectory = folder });
        await using var database = new SqliteLedger(options, TimeProvider.System, NullLogger<SqliteLedger>.Instance);
        await using (var session = await database.OpenSessionAsync(Stop))
        {
            await Migrations.ApplyAsync(session.Connection, "sqlite", Stop);
        }

        await new DatabaseHome(database, new DatabaseBeat(database, options, TimeProvider.System, NullLogger<DatabaseBeat>.Instance), options).PrepareAsync(Stop);
        return await RestoreMark.ReadAsync(database, Stop);
    }
}
