using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

public sealed class ProgressLostTests(PostgresServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Its queue was at a silo that has just gone: Orleans would wait for its answer for half a minute, and with it whoever wants the campaign stopped.</summary>
    [Fact]
    public async Task Campaign_WhoseProgressNobodyTakes_IsStoppedAllTheSame()
    {
        await using var bench = await CampaignBench.StartAsync(
            "Sqlite",
            server,
            configure: static builder => builder.Services.AddSingleton<IOutgoingGrainCallFilter, SilentQueues>());
        await bench.ImportAsync(10);
        var provider = await bench.ProviderAsync(2, new() { ["limits"] = new System.Text.Json.Nodes.JsonObject { ["requestsPerSecond"] = 0.5 } });
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");

        var stopped = await bench.ActAsync(campaign, "stop").WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal("stopped", (string)stopped["status"]!);
    }
}

/// <summary>The queues of streams never answer.</summary>
internal sealed class SilentQueues : IOutgoingGrainCallFilter
{
    public Task Invoke(IOutgoingGrainCallContext context) =>
        context.InterfaceName.Contains("MemoryStreamQueue", StringComparison.Ordinal) && context.MethodName == "Enqueue" ? new TaskCompletionSource().Task : context.Invoke();
}
