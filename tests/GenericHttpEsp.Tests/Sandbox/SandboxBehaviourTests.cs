using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text;
using System.Text.Json;
using GenericHttpEsp.Sandbox;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxBehaviourTests : SandboxTest
{
    [Fact]
    public async Task Success_AnswersAnIdPerRecord()
    {
        using var answer = await PostAsync(Batch("a@x.test", "b@x.test"));

        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(["sb-1-0", "sb-1-1"], json.RootElement.GetProperty("results").EnumerateArray().Select(one => one.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Share429_TurnsAwayWithRetryAfter_AndStillLogsTheAddresses()
    {
        Host.Behaviour = new() { TooManyRequestsShare = 1, RetryAfterSeconds = 7 };

        using var answer = await PostAsync(Batch("a@x.test"));

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), answer.Headers.RetryAfter!.Delta);
        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.Equal(["a@x.test"], end.Addresses);
        Assert.Empty(end.AcceptedAddresses);
        Assert.Equal((0, 1, 0), (Host.Summary().MessagesAccepted, Host.Summary().RequestsTurnedAway, Host.Summary().RequestsRefused));
    }

    [Fact]
    public async Task Shares_AreKeptRoughlyAndAreTheSameForTheSameSeed()
    {
        var behaviour = new SandboxBehaviour { TooManyRequestsShare = 0.3, ServerErrorShare = 0.2, ServerErrorStatus = 504 };
        var first = await StatusesAsync(await StartAsync(new() { Seed = 5, Behaviour = behaviour }));
        var second = await StatusesAsync(await StartAsync(new() { Seed = 5, Behaviour = behaviour }));
        var third = await StatusesAsync(await StartAsync(new() { Seed = 6, Behaviour = behaviour }));

        Assert.Equal(first, second);
        Assert.NotEqual(first, third);
        Assert.InRange(first.Count(status => status == 429), 40, 80);
        Assert.InRange(first.Count(status => status == 504), 20, 60);
    }

    [Theory]
    [InlineData("AcceptThen500Share", 500)]
    [InlineData("AcceptThen502Share", 502)]
    public async Task AcceptThenError_AcceptsAndAnswersTheError(string share, int status)
    {
        Host.Behaviour = share == "AcceptThen500Share" ? new() { AcceptThen500Share = 1 } : new() { AcceptThen502Share = 1 };

        using var answer = await PostAsync(Batch("a@x.test"));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(1, Host.Summary().MessagesAccepted);
        Assert.Equal(["a@x.test"], (await EntryAsync(SandboxEntryKind.End, 1)).AcceptedAddresses);
    }

    [Theory]
    [InlineData(SandboxAction.AcceptThenClose, 1)]
    [InlineData(SandboxAction.AcceptThenCutAnswer, 1)]
    [InlineData(SandboxAction.CloseAfterBody, 0)]
    [InlineData(SandboxAction.CloseBeforeBody, 0)]
    public async Task Close_CutsTheConnection(SandboxAction action, int accepted)
    {
        Host.Behaviour = new() { Script = new Dictionary<int, SandboxAnswer> { [1] = new() { Action = action } } };

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => PostAsync(Batch("a@x.test")));

        await EntryAsync(SandboxEntryKind.Aborted, 1);
        Assert.Equal(accepted, Host.Summary().MessagesAccepted);
        Assert.Equal(0, Host.Summary().OpenRequests);
        using var next = await PostAsync(Batch("a@x.test"));
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task AcceptThenCloseShare_AcceptsWithoutAnswer()
    {
        Host.Behaviour = new() { AcceptThenCloseShare = 1 };

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => PostAsync(Batch("a@x.test")));

        Assert.Equal(1, Host.Summary().MessagesAccepted);
    }

    [Fact]
    public async Task Script_AnswersByRequestNumber()
    {
        Host.Behaviour = new()
        {
            Script = new Dictionary<int, SandboxAnswer>
            {
                [2] = new() { Action = SandboxAction.Refuse, Status = 401, Body = "go away" },
                [3] = new() { Action = SandboxAction.AcceptThenAnswer, Status = 202, Body = "taken" },
            },
        };

        var statuses = await StatusesAsync(Host, 4);

        Assert.Equal([200, 401, 202, 200], statuses);
        Assert.Equal(3, Host.Summary().MessagesAccepted);
    }

    [Fact]
    public async Task BodyOverTheBound_IsAnswered413BeforeItIsSent()
    {
        Host.Behaviour = new() { MaxBodyBytes = 1000 };
        var (connection, stream) = await ConnectAsync(Host);
        using var _ = connection;

        await stream.WriteAsync(Head(1001), Cancel);

        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 413 Payload Too Large", await reader.ReadLineAsync(Cancel));
        Assert.Null((await EntryAsync(SandboxEntryKind.End, 1)).BodyBytes);
    }

    [Fact]
    public async Task BodyOverTheBound_WithoutALength_IsAnswered413()
    {
        Host.Behaviour = new() { MaxBodyBytes = 1000 };
        using var request = new HttpRequestMessage(HttpMethod.Post, Host.Address) { Content = new StringContent(new string('x', 1001)) };
        request.Headers.TransferEncodingChunked = true;

        using var answer = await Client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task RefusedAddress_RefusesTheWholeBody()
    {
        Host.Behaviour = new() { RefusedAddresses = ["B@x.test"] };

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("record 1", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal((0, 2), (Host.Summary().MessagesAccepted, Host.Summary().MessagesRefused));
    }

    [Theory]
    [InlineData(SandboxAnswerShape.Postmark, "[0].ErrorCode=0 [1].ErrorCode=406 [2].ErrorCode=0 [2].MessageID=sb-1-2")]
    [InlineData(SandboxAnswerShape.Mailjet, "Messages[0].Status=success Messages[1].Status=error Messages[1].Errors[0].ErrorCode=mj-0013 Messages[2].To[0].Email=c@x.test")]
    [InlineData(SandboxAnswerShape.Generic, "results[0].id=sb-1-0 results[1].error=refused+address results[2].id=sb-1-2")]
    [InlineData(SandboxAnswerShape.Resend, "data[1].id=sb-1-2 errors[0].index=1")]
    [InlineData(SandboxAnswerShape.Brevo, "messageIds[1]=sb-1-2")]
    public async Task RefusedAddress_RefusedPartially_IsToldByRecord(SandboxAnswerShape shape, string expected)
    {
        Host.Behaviour = new() { RefusedAddresses = ["b@x.test"], RefusePartially = true, AnswerShape = shape };

        using var answer = await PostAsync(Batch("a@x.test", "b@x.test", "c@x.test"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        foreach (var pair in expected.Split(' '))
        {
            Assert.Equal(pair.Split('=')[1].Replace('+', ' '), At(json.RootElement, pair.Split('=')[0]));
        }

        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.Equal(["a@x.test", "c@x.test"], end.AcceptedAddresses);
        Assert.Equal((2, 1), (Host.Summary().MessagesAccepted, Host.Summary().MessagesRefused));
    }

    [Fact]
    public async Task BatchKey_Honoured_AnswersAsBeforeAndAcceptsOnce()
    {
        Host.Behaviour = new()
        {
            HonourBatchKey = true,
            Script = new Dictionary<int, SandboxAnswer> { [1] = new() { Action = SandboxAction.AcceptThenAnswer, Status = 500 } },
        };

        using var first = await SendKeyAsync(Host, "k", Batch("a@x.test"));
        using var second = await SendKeyAsync(Host, "k", Batch("a@x.test"));
        using var changed = await SendKeyAsync(Host, "k", Batch("b@x.test"));
        using var other = await SendKeyAsync(Host, "l", Batch("b@x.test"));

        Assert.Equal([500, 200, 409, 200], new[] { first, second, changed, other }.Select(answer => (int)answer.StatusCode));
        Assert.Contains("sb-1-0", await second.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal((2, 1, 0), (Host.Summary().MessagesAccepted, Host.Summary().Repetitions, Host.Summary().RepeatedAddresses));
        var repetition = await EntryAsync(SandboxEntryKind.End, 2);
        Assert.Equal(("k", true, 0), (repetition.BatchKey, repetition.Repetition, repetition.Accepted));
        Assert.Empty(repetition.AcceptedAddresses);
    }

    [Fact]
    public async Task BatchKey_NotHonouredOrExpired_AcceptsAgain()
    {
        var time = new FakeTimeProvider();
        var host = await StartAsync(new() { Behaviour = new() { HonourBatchKey = true, BatchKeyLifetimeSeconds = 60 } }, time);
        using var first = await SendKeyAsync(host, "k", Batch("a@x.test"));
        time.Advance(TimeSpan.FromSeconds(61));
        using var expired = await SendKeyAsync(host, "k", Batch("a@x.test"));
        host.Behaviour = new();
        using var ignored = await SendKeyAsync(host, "k", Batch("a@x.test"));

        Assert.Equal(3, host.Summary().MessagesAccepted);
        Assert.Equal("k", (await EntryAsync(SandboxEntryKind.End, 3, host)).BatchKey);
    }

    [Fact]
    public async Task Hold_BeforeAnswer_AcceptsAndAnswersOnlyWhenReleased()
    {
        Host.Hold();
        var sending = PostAsync(Batch("a@x.test"));
        await Host.WaitForHeldRequestsAsync(1, Cancel);

        Assert.Equal((1, 1), (Host.Summary().MessagesAccepted, Host.Summary().OpenRequests));
        Assert.False(sending.IsCompleted);
        Host.Release();
        using var answer = await sending;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Host.WaitForOpenRequestsAsync(0, Cancel);
    }

    [Fact]
    public async Task Hold_BeforeBody_AcceptsNothing_AndDisposeCutsIt()
    {
        var host = await StartAsync(new());
        host.Hold(SandboxHoldPoint.BeforeBody);
        var sending = PostAsync(Batch("a@x.test"), host);
        await host.WaitForHeldRequestsAsync(1, Cancel);

        Assert.Equal([SandboxEntryKind.Head], host.Entries().Select(entry => entry.Kind));
        await host.DisposeAsync();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => sending);
        Assert.Equal(0, host.Summary().MessagesAccepted);
    }

    [Fact]
    public async Task Latency_DelaysTheAnswerNotTheAcceptance()
    {
        var time = new FakeTimeProvider();
        var host = await StartAsync(new() { Behaviour = new() { LatencyMilliseconds = 1000, LatencyJitterMilliseconds = 500 } }, time);
        var sending = PostAsync(Batch("a@x.test"), host);
        await EntryAsync(SandboxEntryKind.End, 1, host);

        time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(sending.IsCompleted);
        while (!sending.IsCompleted)
        {
            // The wait may have begun after the first step.
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Yield();
        }

        Assert.Equal(HttpStatusCode.OK, (await sending).StatusCode);
    }

    [Fact]
    public void Behaviour_OutOfBounds_IsRefused()
    {
        Assert.Throws<ValidationException>(() => Host.Behaviour = new() { TooManyRequestsShare = 1.5 });
        Assert.Throws<ValidationException>(() => Host.Behaviour = new() { Callbacks = new() { EventsPerBody = 1001 } });
    }

    private static string At(JsonElement element, string path)
    {
        foreach (var step in path.Split('.', '[').Where(step => step.Length > 0))
        {
            element = step.EndsWith(']') ? element[int.Parse(step[..^1], null)] : element.GetProperty(step);
        }

        return element.ToString();
    }

    private async Task<List<int>> StatusesAsync(SandboxHost host, int requests = 200)
    {
        List<int> statuses = [];
        for (var n = 0; n < requests; n++)
        {
            using var answer = await PostAsync(Batch("a@x.test"), host);
            statuses.Add((int)answer.StatusCode);
        }

        return statuses;
    }

    private async Task<HttpResponseMessage> SendKeyAsync(SandboxHost host, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, host.Address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", key);
        return await Client.SendAsync(request, Cancel);
    }
}
