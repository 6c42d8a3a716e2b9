using System.Net;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class GatedContentTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Gate_ShutBeforeTheFirstByte_PutsNothingOnTheWire(bool keptConnection)
    {
        await using var server = Answering();
        using var client = new TestClient(resolver: new ScriptedResolver(() => [IPAddress.Loopback]));
        var url = $"http://esp.test:{server.Port}/";
        if (keptConnection)
        {
            await client.PostAsync(url, "abc");
        }

        var before = server.Bytes;
        using var gate = client.Open();
        gate.TryClose();

        // A head that is larger than the handler's write buffer.
        var request = TestClient.Post(url, [new byte[100]]) with { Headers = [new("X-Large", new string('h', 20_000), false)] };
        var answer = await client.SendAsync(request, gate);

        Assert.Equal((EspAnswerKind.GateMissed, 0L, true), (answer.Kind, answer.BytesHandedOver, answer.BodyReleased));
        await client.PostAsync(url, "end");
        Assert.Equal(server.Heads.Last(), Assert.Single(server.Heads.Skip(keptConnection ? 1 : 0)));
        Assert.Equal(server.Heads.Last().Length + 3, server.Bytes - before);
    }

    [Fact]
    public async Task Window_EndingWhileTheNameIsLookedUp_CancelsTheConnect()
    {
        var time = new FakeTimeProvider();
        await using var server = Answering();
        var resolver = new ScriptedResolver(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(501));
            return [IPAddress.Loopback];
        });
        using var client = new TestClient(time, resolver, windowMilliseconds: 500);

        var answer = await client.PostAsync($"http://esp.test:{server.Port}/", "abc");

        // There was time enough: claiming again at once would be claiming for ever, as long as the ESP is a black hole.
        Assert.Equal((EspAnswerKind.NotSent, 0L, true), (answer.Kind, answer.BytesHandedOver, answer.BodyReleased));
        Assert.Equal("connect: none within the send window", answer.Detail);
        Assert.Equal((0L, 0), (server.Bytes, client.OpenClaims));
    }

    /// <summary>We were late ourselves: that says nothing about the ESP.</summary>
    [Fact]
    public async Task Window_EndingDuringTheConnectOfALateRequest_IsMissed()
    {
        var time = new FakeTimeProvider();
        await using var server = Answering();
        var resolver = new ScriptedResolver(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(201));
            return [IPAddress.Loopback];
        });
        using var client = new TestClient(time, resolver, windowMilliseconds: 500);
        using var gate = client.Open();
        time.Advance(TimeSpan.FromMilliseconds(300));

        var answer = await client.SendAsync(TestClient.Post($"http://esp.test:{server.Port}/", [new byte[3]]), gate);

        Assert.Equal((EspAnswerKind.GateMissed, 0L), (answer.Kind, server.Bytes));
    }

    [Fact]
    public async Task Window_OverBeforeTheRequestStarts_IsMissed()
    {
        var time = new FakeTimeProvider();
        await using var server = Answering();
        using var client = new TestClient(time, windowMilliseconds: 500);
        using var gate = client.Open();
        time.Advance(TimeSpan.FromMilliseconds(501));

        var answer = await client.SendAsync(TestClient.Post($"http://127.0.0.1:{server.Port}/", [new byte[3]]), gate);

        Assert.Equal((EspAnswerKind.GateMissed, 0L), (answer.Kind, server.Bytes));
    }

    [Fact]
    public async Task Window_OverAfterTheGateWasPassed_DoesNotEndTheRequest()
    {
        var time = new FakeTimeProvider();
        var arrived = new TaskCompletionSource();
        var answerNow = new TaskCompletionSource();
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            arrived.SetResult();
            await connection.WaitForAsync(answerNow.Task);
            await connection.SendAsync(Ok);
        });
        using var client = new TestClient(time, windowMilliseconds: 500);

        using var gate = client.Open();
        var sending = client.SendAsync(TestClient.Get($"http://127.0.0.1:{server.Port}/"), gate);
        await arrived.Task;
        await gate.Settled;
        Assert.Equal((0, true), (client.OpenClaims, gate.HasPassed));
        time.Advance(TimeSpan.FromSeconds(5));
        answerNow.SetResult();

        Assert.Equal(EspAnswerKind.Answered, (await sending).Kind);
    }

    [Fact]
    public async Task Gate_UsedTwice_SendsOnce()
    {
        await using var server = Answering();
        using var client = new TestClient();
        using var gate = client.Open();
        var request = TestClient.Get($"http://127.0.0.1:{server.Port}/");

        var first = await client.SendAsync(request, gate);
        var second = await client.SendAsync(request, gate);

        Assert.Equal((EspAnswerKind.Answered, EspAnswerKind.GateMissed), (first.Kind, second.Kind));
        Assert.Single(server.Heads);
    }

    [Fact]
    public async Task Content_AbandonedBeforeItStarts_IsNeverRead()
    {
        var claims = new OpenClaims(TimeSpan.FromSeconds(10), TimeProvider.System, clusterWide: false, _ => ValueTask.FromResult(true));
        using var gate = claims.Open(TimeProvider.System.GetTimestamp());
        using var content = new GatedContent([new byte[3]], 3, gate);

        Assert.True(await content.ReleaseAsync(TimeSpan.FromSeconds(1), TimeProvider.System));
        await Assert.ThrowsAnyAsync<Exception>(() => content.CopyToAsync(Stream.Null));
        Assert.Equal((0L, false), (content.HandedOver, gate.HasPassed));
    }

    private static RawServer Answering() => new(async connection =>
    {
        while (await connection.HeadAsync() is { Length: > 0 } head)
        {
            await connection.BodyAsync(head.Contains("Content-Length: 3", StringComparison.Ordinal) ? 3 : 0);
            await connection.SendAsync(Ok);
        }
    });
}
