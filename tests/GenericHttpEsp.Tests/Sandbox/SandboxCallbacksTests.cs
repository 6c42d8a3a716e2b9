using System.Net.Sockets;
using GenericHttpEsp.Sandbox;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxCallbacksTests : SandboxTest
{
    [Theory]
    [InlineData("hard_bounce", "failed")]
    [InlineData("soft_bounce", "failed")]
    [InlineData("spam", "failed")]
    [InlineData("unsubscribed", "failed")]
    [InlineData("clicked", "clicked")]
    [InlineData("delivered", "success")]
    public async Task Share_OfOneType_PostsItForEachMessageInItsGroup(string type, string group)
    {
        await using var receiver = await SandboxReceiver.StartAsync();
        Host.Behaviour = new() { Callbacks = Share(type) with { CallbackUrl = receiver.Url } };

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test"));
        await Host.WaitForCallbacksAsync(Cancel);

        Assert.Equal([$"{group}/{type}/a@x.test", $"{group}/{type}/b@x.test"], receiver.Events);
        var body = Assert.Single(receiver.Bodies);
        Assert.Equal("v2", body.GetProperty("version").GetString());
        Assert.Equal(Meta("b@x.test"), body.GetProperty("events").GetProperty(group)[1].GetProperty("meta").GetString());
        Assert.Equal((2, 2, 0), (Host.Summary().CallbacksQueued, Host.Summary().CallbacksOk, Host.Summary().CallbacksFailed));
        Assert.Equal(200, (await Host.WaitForEntryAsync(entry => entry.Kind == SandboxEntryKind.Callback, Cancel)).Status);
    }

    [Fact]
    public async Task Records_NotAcceptedOrWithoutMeta_GetNoCallback()
    {
        await using var receiver = await SandboxReceiver.StartAsync();
        Host.Behaviour = new()
        {
            RefusedAddresses = ["b@x.test"],
            RefusePartially = true,
            Callbacks = new() { CallbackUrl = receiver.Url, DeliveredShare = 1 },
        };

        using var answer = await PostAsync($$"""[{"to":"a@x.test"},{"to":"b@x.test","mid":"{{Meta("b@x.test")}}"},{"to":"c@x.test","mid":"{{Meta("c@x.test")}}"}]""");
        using var wrong = await PostAsync("""{"to":"d@x.test","mid":"m","left":"$$To"}""");
        await Host.WaitForCallbacksAsync(Cancel);

        Assert.Equal(["success/delivered/c@x.test"], receiver.Events);
    }

    [Fact]
    public async Task Shares_AreKeptRoughly_BouncesHaveNoOtherEvent()
    {
        await using var receiver = await SandboxReceiver.StartAsync();
        Host.Behaviour = new()
        {
            Callbacks = new() { CallbackUrl = receiver.Url, HardBounceShare = 0.2, SoftBounceShare = 0.1, DeliveredShare = 1, ClickedShare = 0.5 },
        };

        using var answer = await PostAsync(Batch([.. Enumerable.Range(0, 1000).Select(n => $"p{n}@x.test")]));
        await Host.WaitForCallbacksAsync(Cancel);

        var events = receiver.Events.Select(one => one.Split('/')).ToLookup(one => one[1], one => one[2]);
        Assert.InRange(events["hard_bounce"].Count(), 150, 250);
        Assert.InRange(events["soft_bounce"].Count(), 60, 140);
        Assert.InRange(events["clicked"].Count(), 290, 410);
        Assert.Equal(1000, events["hard_bounce"].Count() + events["soft_bounce"].Count() + events["delivered"].Count());
        Assert.Empty(events["hard_bounce"].Intersect(events["delivered"]));
        Assert.All(receiver.Bodies, body => Assert.InRange(body.GetProperty("events").EnumerateObject().Sum(group => group.Value.GetArrayLength()), 1, 1000));
    }

    [Fact]
    public async Task Scripted_DuplicatedShuffledAndSmallBodies_AreAsTold()
    {
        await using var receiver = await SandboxReceiver.StartAsync();
        Host.Behaviour = new()
        {
            Callbacks = new()
            {
                CallbackUrl = receiver.Url,
                Scripted = new Dictionary<string, IReadOnlyList<string>> { ["a@x.test"] = ["delivered", "unsubscribed"] },
                DuplicateShare = 1,
                Shuffle = true,
                EventsPerBody = 3,
            },
        };

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test"));
        await Host.WaitForCallbacksAsync(Cancel);

        Assert.Equal(2, receiver.Bodies.Count);
        Assert.Equal(
            ["failed/unsubscribed/a@x.test", "failed/unsubscribed/a@x.test", "success/delivered/a@x.test", "success/delivered/a@x.test"],
            receiver.Events.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Refusal429_IsRetriedAfterWhatTheReceiverSays()
    {
        var time = new FakeTimeProvider();
        await using var receiver = await SandboxReceiver.StartAsync();
        receiver.Answer = (number, response) =>
        {
            response.StatusCode = number == 1 ? 429 : 200;
            response.Headers.RetryAfter = "3";
            return "";
        };
        var host = await StartAsync(new() { Behaviour = new() { Callbacks = new() { CallbackUrl = receiver.Url, DeliveredShare = 1 } } }, time);

        using var answer = await PostAsync(Batch("a@x.test"), host);
        await host.WaitForEntryAsync(entry => entry is { Kind: SandboxEntryKind.Callback, Status: 429 }, Cancel);
        time.Advance(TimeSpan.FromMilliseconds(2900));
        Assert.Equal(1, host.Summary().CallbacksWaiting);
        await AdvanceUntilAsync(time, host.WaitForCallbacksAsync(Cancel));

        Assert.Single(receiver.Events);
        Assert.Equal((1, 0, 2), (host.Summary().CallbacksOk, host.Summary().CallbacksFailed, host.Summary().CallbackRequests));
        var retried = await host.WaitForEntryAsync(entry => entry is { Kind: SandboxEntryKind.Callback, Attempt: 2 }, Cancel);
        Assert.Equal(200, retried.Status);
    }

    [Fact]
    public async Task ReceiverThatIsDown_IsRetriedUntilTheAttemptsAreUsedUp()
    {
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        var host = await StartAsync(new() { CallbackAttemptsMax = 3, CallbackBackoffMilliseconds = 1 });
        host.Behaviour = new() { Callbacks = new() { CallbackUrl = new Uri($"http://{reserved.LocalEndPoint}/"), DeliveredShare = 1 } };

        using var answer = await PostAsync(Batch("a@x.test"), host);
        await host.WaitForCallbacksAsync(Cancel);

        Assert.Equal((0, 1, 3), (host.Summary().CallbacksOk, host.Summary().CallbacksFailed, host.Summary().CallbackRequests));
    }

    [Fact]
    public async Task Refusal400_IsFinal_AndUnprocessedEventsAreCounted()
    {
        await using var receiver = await SandboxReceiver.StartAsync();
        receiver.Answer = (number, response) =>
        {
            response.StatusCode = number == 1 ? 400 : 200;
            return """{"UNPROCESSED_EVENTS":[{"index":0}]}""";
        };
        Host.Behaviour = new() { Callbacks = new() { CallbackUrl = receiver.Url, DeliveredShare = 1 } };

        using var first = await PostAsync(Batch("a@x.test"));
        await Host.WaitForCallbacksAsync(Cancel);
        Host.QueueCallback("spam", "a@x.test", Meta("a@x.test"));
        await Host.WaitForCallbacksAsync(Cancel);

        Assert.Equal(["failed/spam/a@x.test"], receiver.Events);
        Assert.Equal((1, 1, 1), (Host.Summary().CallbacksOk, Host.Summary().CallbacksFailed, Host.Summary().CallbacksUnprocessed));
    }

    [Fact]
    public async Task Delay_HoldsEventsBack_AndTheQueueIsBounded()
    {
        var time = new FakeTimeProvider();
        await using var receiver = await SandboxReceiver.StartAsync();
        var host = await StartAsync(new() { CallbackQueueMax = 2 }, time);
        host.Behaviour = new() { Callbacks = new() { CallbackUrl = receiver.Url, DeliveredShare = 1, DelayMilliseconds = 60_000 } };

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test", "c@x.test"), host);
        Assert.Equal((2, 1, 0), (host.Summary().CallbacksWaiting, host.Summary().CallbacksDropped, host.Summary().CallbackRequests));
        time.Advance(TimeSpan.FromMilliseconds(59_999));
        Assert.Equal(0, host.Summary().CallbackRequests);
        await AdvanceUntilAsync(time, host.WaitForCallbacksAsync(Cancel));

        Assert.Equal(2, receiver.Events.Count);
    }

    private static SandboxCallbackPlan Share(string type) => type switch
    {
        "hard_bounce" => new() { HardBounceShare = 1 },
        "soft_bounce" => new() { SoftBounceShare = 1 },
        "spam" => new() { SpamShare = 1 },
        "unsubscribed" => new() { UnsubscribedShare = 1 },
        "clicked" => new() { ClickedShare = 1 },
        _ => new() { DeliveredShare = 1 },
    };

    /// <summary>The sandbox takes its timers on its own threads, so one step of the clock may come before a timer is set.</summary>
    private static async Task AdvanceUntilAsync(FakeTimeProvider time, Task done)
    {
        while (!done.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await done;
    }
}
