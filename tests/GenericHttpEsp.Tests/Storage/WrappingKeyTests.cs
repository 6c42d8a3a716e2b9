using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Storage;

public sealed class WrappingKeyTests
{
    private const int Rounds = 20;
    private const int AtOnce = 16;

    /// <summary>Silos that start at once on a shared folder.</summary>
    [Fact]
    public async Task Load_ByManyAtOnce_MakesOneFileThatAllRead()
    {
        using var folder = new TemporaryFolder();
        for (var round = 0; round < Rounds; round++)
        {
            var path = Path.Combine(folder.Path, $"{round}", "secret.key");
            using var start = new Barrier(AtOnce);
            var keys = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    return WrappingKey.LoadAsync(path, TestContext.Current.CancellationToken);
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap()));

            Assert.All(keys, key => Assert.Equal(keys[0], key));
            Assert.Equal([path, $"{path}.lock"], Directory.GetFiles(Path.GetDirectoryName(path)!).Order());
        }
    }
}
