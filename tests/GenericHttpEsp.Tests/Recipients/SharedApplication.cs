using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Recipients;

/// <summary>One application for tests that do not look at each other's recipients; its barrier is open.</summary>
public sealed class SharedApplication : IAsyncLifetime
{
    private TestApplication? _application;

    internal TestApplication Application => _application!;

    public async ValueTask InitializeAsync() => _application = await RecipientsApiTests.StartAsync(new SignalBarrier());

    public ValueTask DisposeAsync() => _application?.DisposeAsync() ?? ValueTask.CompletedTask;
}
