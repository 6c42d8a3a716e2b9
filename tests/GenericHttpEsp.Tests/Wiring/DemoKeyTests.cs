using GenericHttpEsp.Api;
using GenericHttpEsp.Wiring;

namespace GenericHttpEsp.Tests.Wiring;

public sealed class DemoKeyTests : IDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("ghe-key-").FullName, "it's data");

    [Fact]
    public async Task Key_OfTheOperator_IsTakenAndNoFileMade()
    {
        var key = await DemoKey.TakeAsync("an-operators-own-key-of-32-characters", _folder);
        Assert.Equal("an-operators-own-key-of-32-characters", key.Value);
        Assert.False(Directory.Exists(_folder));
        Assert.DoesNotContain("an-operators", key.Command, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_WithoutOne_IsMadeOnceAndNamedByItsFile()
    {
        var made = await DemoKey.TakeAsync(null, _folder);
        Assert.True(ApiKeyFormat.IsPlausible(made.Value));
        Assert.Equal(made, await DemoKey.TakeAsync("", _folder));
        Assert.DoesNotContain(made.Value, made.Command, StringComparison.Ordinal);
        Assert.Contains("""it'\''s data/demo.key'""", made.Command, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_OfSomethingElse_IsRefusedWithWhatHelps()
    {
        Directory.CreateDirectory(_folder);
        await File.WriteAllTextAsync(Path.Combine(_folder, "demo.key"), "hello");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => DemoKey.TakeAsync(null, _folder));
        Assert.Contains("Delete it", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
}
