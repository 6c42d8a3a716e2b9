using System.Net.Http.Json;
using System.Text.Json.Nodes;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>No request whose head arrives at the ESP after the acknowledgement of an unsubscribe was read holds the address.</summary>
public sealed class UnsubscribeWhileSendingTests(PostgresServer server)
{
    private const int People = 2000;
    private const int ByHand = 300;
    private const int ByToken = 60;
    private const int Callers = 48;

    // From a claim's commit to its request. Within the send window, so that what was claimed is sent.
    private static readonly TimeSpan Stretch = TimeSpan.FromMilliseconds(300);

    // A head that is in the sandbox's socket waits for a thread of this busy process before it is logged; a late send is late by about the stretch.
    private const int LogLagMilliseconds = 50;

    [Theory]
    [InlineData("Sqlite")]
    [InlineData("PostgreSql")]
    public async Task Acknowledged_IsInNoRequestThatBeginsLater(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(
            engine, server, new SandboxOptions { KeepBodies = 200 }, builder => Arrange(builder, static _ => Task.Delay(Stretch), withBarrier: true));
        await bench.ImportAsync(People);
        var provider = await bench.ProviderAsync(25, new JsonObject { ["limits"] = new JsonObject { ["concurrency"] = 8 } });
        var tokens = await TokensAsync(bench, provider);
        var start = bench.Sandbox.Entries()[^1].Sequence;
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        var acknowledged = await UnsubscribeSomeAsync(bench, tokens);
        var stats = await bench.WatchAsync(campaign);

        var late = acknowledged.LateBy(bench.Sandbox.Entries(start));
        TestContext.Current.TestOutputHelper?.WriteLine($"logged after the acknowledgement: {late.Count}, at most {late.DefaultIfEmpty().Max():f1} ms");
        Assert.DoesNotContain(late, static milliseconds => milliseconds > LogLagMilliseconds);
        Assert.Equal(ByHand + ByToken, acknowledged.Count);
        // Enough of them were still to come, so that it meant something.
        Assert.True((int)stats["skippedByReason"]!["unsubscribed"]! > ByHand / 10, stats.ToJsonString());
        Assert.Equal(People, (int)stats["accepted"]! + (int)stats["skipped"]!);
    }

    /// <summary>
    /// Somebody of a claim leaves after its commit and before its request. Without the barrier the request waits for the acknowledgement, in a window that lasts:
    /// then it is late on any machine, and what is measured here can fail.
    /// </summary>
    [Theory]
    [InlineData("Sqlite", true)]
    [InlineData("PostgreSql", true)]
    [InlineData("Sqlite", false)]
    [InlineData("PostgreSql", false)]
    public async Task Claimed_WhoLeavesBeforeTheRequest_IsAcknowledgedAfterItsHead_OnlyWithTheBarrier(string engine, bool withBarrier)
    {
        var acknowledged = new AcknowledgementLog();
        var first = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var bench = await CampaignBench.StartAsync(
            engine,
            server,
            null,
            builder => Arrange(
                builder,
                request =>
                {
                    first.TrySetResult(request.Batches[0].Ids[0]);
                    return withBarrier ? Task.Delay(Stretch) : left.Task;
                },
                withBarrier),
            withBarrier ? [] : ["--Dispatch:SendWindowMilliseconds=10000"]);
        await bench.ImportAsync(20);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync());
        await bench.ActAsync(campaign, "start");
        var id = await first.Task.WaitAsync(CampaignBench.Patience);
        var person = Assert.Single(await bench.Application.Services.GetRequiredService<ProfileStore>().ByIdsAsync([id], CancellationToken.None));

        await UnsubscribeAsync(bench, person.Email, null);
        acknowledged.Read(person.Email);
        await Task.Delay(2 * LogLagMilliseconds, TestContext.Current.CancellationToken);
        left.SetResult();
        await bench.WatchAsync(campaign);

        // The window counts from before the claim: even a slow start leaves no time to send after an acknowledgement.
        var late = acknowledged.LateBy(bench.Sandbox.Entries());
        Assert.Equal(withBarrier, !late.Exists(static milliseconds => milliseconds > LogLagMilliseconds));
    }

    private static async Task<AcknowledgementLog> UnsubscribeSomeAsync(CampaignBench bench, Dictionary<string, string> tokens)
    {
        var acknowledged = new AcknowledgementLog();
        var random = new Random(7);
        var people = Enumerable.Range(0, People).Select(static i => $"p{i}@example.com").Except(tokens.Keys).OrderBy(_ => random.Next()).Take(ByHand);
        var calls = people.Select(static email => (Email: email, Token: (string?)null))
            .Concat(tokens.Select(static pair => (Email: pair.Key, Token: (string?)pair.Value))).OrderBy(_ => random.Next()).ToList();
        await Parallel.ForEachAsync(calls, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (call, _) =>
        {
            await UnsubscribeAsync(bench, call.Email, call.Token);
            acknowledged.Read(call.Email);
        });
        return acknowledged;
    }

    private static void Arrange(WebApplicationBuilder builder, Func<ClaimRequest, Task> claimed, bool withBarrier)
    {
        builder.Services.AddSingleton<IBatchLedger>(provider => new StretchedLedger(
            new BatchLedger(provider.GetRequiredService<ClaimStore>(), provider.GetRequiredService<RepeatStore>(), provider.GetRequiredService<OutcomeStore>()),
            claimed));
        if (!withBarrier)
        {
            builder.Services.AddSingleton<IForbidBarrier, NoBarrier>();
        }
    }

    /// <summary>Tokens as recipients have them: from the messages of an earlier campaign.</summary>
    private static async Task<Dictionary<string, string>> TokensAsync(CampaignBench bench, long provider)
    {
        var campaign = await bench.CampaignAsync(provider);
        await bench.ActAsync(campaign, "start");
        await bench.WatchAsync(campaign);
        return bench.Sandbox.Bodies
            .SelectMany(static body => JsonNode.Parse(body.Body.Span)!["msgs"]!.AsArray())
            .Where(static (_, i) => i % 30 == 0).Take(ByToken)
            .ToDictionary(static record => (string)record!["to"]!, static record => new Uri((string)record!["unsubscribe"]!).Segments[^1]);
    }

    private static async Task UnsubscribeAsync(CampaignBench bench, string email, string? token)
    {
        using var answer = token is null
            ? await bench.Client.PutAsJsonAsync($"/v1/recipients/{email}/subscription", new { status = "unsubscribed" })
            : await bench.Client.PostAsync($"/u/{token}", null);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}");
    }

    private sealed class NoBarrier : IForbidBarrier
    {
        public Task WaitAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
