using System.Diagnostics;
using System.Text;
using GenericHttpEsp.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class EspClientTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const int Large = 16 * 1024 * 1024;

    [Fact]
    public async Task Post_ToAPlainServer_SendsHeadAndSegmentsAndReadsTheAnswer()
    {
        var body = "";
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            body = Encoding.UTF8.GetString(await connection.BodyAsync(3003));
            await connection.SendAsync(Ok);
            await connection.DrainAsync();
        });
        using var client = new TestClient();
        using var activity = new Activity("campaign").Start();

        var answer = await client.PostAsync($"http://127.0.0.1:{server.Port}/send?a=b", new string('x', 3000), "", "abc");

        Assert.Equal((EspAnswerKind.Answered, 200, "ok"), (answer.Kind, answer.Status, Encoding.UTF8.GetString(answer.Body.Span)));
        Assert.Equal(3003, answer.BytesHandedOver);
        Assert.True(answer.BodyReleased);
        Assert.False(answer.BodyTruncated);
        Assert.Equal(new string('x', 3000) + "abc", body);
        Assert.Equal(0, client.OpenClaims);
        Assert.Equal(
            ["POST /send?a=b HTTP/1.1", "Content-Length: 3003", "Content-Type: application/json", $"Host: 127.0.0.1:{server.Port}", "X-Key: k\u00e9y"],
            Assert.Single(server.Heads).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Order(new RequestLineFirst()));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task KeptConnection_ClosedOnTheSecondRequest_IsOneArrivalAndUnknown(string method)
    {
        await using var server = new RawServer(async connection =>
        {
            await ReadAsync(connection);
            await connection.SendAsync(Ok);
            await ReadAsync(connection);
        });
        using var client = new TestClient();
        var url = $"http://127.0.0.1:{server.Port}/";
        Task<EspAnswer> Send() => method == "GET" ? client.GetAsync(url) : client.PostAsync(url, "abc");

        var first = await Send();
        var second = await Send();

        Assert.Equal((EspAnswerKind.Answered, 200), (first.Kind, first.Status));
        Assert.Equal(EspAnswerKind.NoAnswer, second.Kind);
        Assert.Equal((2, 1), (server.Heads.Count, server.Connections));

        static async Task ReadAsync(RawConnection connection)
        {
            if ((await connection.HeadAsync()).StartsWith("POST", StringComparison.Ordinal))
            {
                await connection.BodyAsync(3);
            }
        }
    }

    [Fact]
    public async Task KeptConnection_ClosedWhileIdle_IsReplacedWithoutHarm()
    {
        var closed = new TaskCompletionSource();
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync(Ok);
            if (closed.TrySetResult())
            {
                return;
            }

            await connection.DrainAsync();
        });
        using var client = new TestClient();
        await client.GetAsync($"http://127.0.0.1:{server.Port}/");
        await closed.Task;

        EspAnswer answer;
        do
        {
            // Until the FIN is seen the request may go out on the dying connection: unknown, never repeated by the handler.
            answer = await client.GetAsync($"http://127.0.0.1:{server.Port}/");
        }
        while (answer.Kind != EspAnswerKind.Answered);

        Assert.Equal(2, server.Connections);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WholeRequestRead_ThenNoStatus_IsUnknown(bool reset)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.BodyAsync(3);
            if (reset)
            {
                connection.Reset();
                return;
            }

            connection.HalfClose();
            await connection.DrainAsync();
        });
        using var client = new TestClient();

        var answer = await client.PostAsync($"http://127.0.0.1:{server.Port}/", "abc");

        Assert.Equal((EspAnswerKind.NoAnswer, 3L), (answer.Kind, answer.BytesHandedOver));
    }

    [Fact]
    public async Task ResetInTheMiddleOfTheRequest_WithoutStatus_IsNotSent()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.BodyAsync(1000);
            connection.Reset();
        });
        using var client = new TestClient();

        var answer = await client.PostAsync($"http://127.0.0.1:{server.Port}/", Large);

        Assert.Equal(EspAnswerKind.NotSent, answer.Kind);
        Assert.InRange(answer.BytesHandedOver, 0, Large - 1);
        Assert.True(answer.BodyReleased);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("reset")]
    [InlineData("hold")]
    [InlineData("drain")]
    public async Task StatusBeforeTheWholeRequest_IsTheAnswer(string ending)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.BodyAsync(1000);
            await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlarge");
            await (ending switch
            {
                "hold" => connection.HoldAsync(),
                "drain" => connection.DrainAsync(),
                _ => Task.CompletedTask,
            });
        });
        using var client = new TestClient();

        var answer = await client.PostAsync($"http://127.0.0.1:{server.Port}/", Large);

        Assert.Equal((EspAnswerKind.Answered, 413), (answer.Kind, answer.Status));
        Assert.Equal(TimeSpan.FromSeconds(7), answer.RetryAfter);
        Assert.Equal("large", Encoding.UTF8.GetString(answer.Body.Span));
        Assert.True(answer.BodyReleased);
        Assert.InRange(answer.Took.TotalSeconds, 0, 10);
    }

    [Fact]
    public async Task NoAnswer_EndsWithTheAttemptsTimeOnTheGivenClock()
    {
        var time = new FakeTimeProvider();
        var arrived = new TaskCompletionSource();
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.BodyAsync(3);
            arrived.SetResult();
            await connection.DrainAsync();
        });
        using var client = new TestClient(time);

        var sending = client.PostAsync($"http://127.0.0.1:{server.Port}/", "abc");
        await arrived.Task;
        time.Advance(TimeSpan.FromSeconds(24.9));
        Assert.False(sending.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        var answer = await sending;

        Assert.Equal((EspAnswerKind.NoAnswer, "time-out", true), (answer.Kind, answer.Detail, answer.BodyReleased));
    }

    [Theory]
    [InlineData("HTTP/1.1 2", nameof(EspAnswerKind.NoAnswer))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", nameof(EspAnswerKind.Answered))]
    public async Task SlowLoris_CountsByWhetherItsStatusCame(string sent, string kind)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync(sent);
            await connection.DrainAsync();
        });
        using var client = new TestClient(attemptSeconds: 1);

        var answer = await client.GetAsync($"http://127.0.0.1:{server.Port}/");

        Assert.Equal(kind, answer.Kind.ToString());
        Assert.Equal(answer.Kind == EspAnswerKind.Answered, answer.BodyTruncated);
    }

    [Fact]
    public async Task Timeout_InTheMiddleOfTheRequest_IsNotSentAndGivesTheBuffersBack()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.HoldAsync();
        });
        using var client = new TestClient(attemptSeconds: 1);

        var answer = await client.PostAsync($"http://127.0.0.1:{server.Port}/", Large);

        Assert.Equal((EspAnswerKind.NotSent, true), (answer.Kind, answer.BodyReleased));
        Assert.InRange(answer.BytesHandedOver, 0, Large - 1);
    }

    [Fact]
    public async Task EndlessAnswer_IsReadToTheMaximumAndDropped()
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            var chunk = $"10000\r\n{new string('z', 0x10000)}\r\n";
            while (true)
            {
                await connection.SendAsync(chunk);
            }
        });
        using var client = new TestClient();

        var answer = await client.GetAsync($"http://127.0.0.1:{server.Port}/");

        Assert.Equal((EspAnswerKind.Answered, 200, true), (answer.Kind, answer.Status, answer.BodyTruncated));
        Assert.Equal(1024 * 1024, answer.Body.Length);
    }

    [Theory]
    [InlineData("head")]
    [InlineData("informational")]
    [InlineData("garbage")]
    [InlineData("empty")]
    public async Task AnswerThatIsNone_IsUnknown(string what)
    {
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync(what switch
            {
                "head" => $"HTTP/1.1 200 OK\r\nX-Large: {new string('h', 64 * 1024)}\r\nContent-Length: 0\r\n\r\n",
                "informational" => string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", 5000)),
                "garbage" => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                _ => "",
            });
        });
        using var client = new TestClient();

        var answer = await client.GetAsync($"http://127.0.0.1:{server.Port}/");

        Assert.Equal(EspAnswerKind.NoAnswer, answer.Kind);
    }

    [Fact]
    public async Task Redirect_IsAnAnswerAndIsNotFollowed()
    {
        await using var canary = new RawServer(connection => connection.DrainAsync());
        await using var server = new RawServer(async connection =>
        {
            await connection.HeadAsync();
            await connection.SendAsync(
                $"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{canary.Port}/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
            await connection.HeadAsync();
            await connection.SendAsync(Ok);
        });
        using var client = new TestClient();

        var answer = await client.GetAsync($"http://127.0.0.1:{server.Port}/");
        await client.GetAsync($"http://127.0.0.1:{server.Port}/");

        Assert.Equal((EspAnswerKind.Answered, 302), (answer.Kind, answer.Status));
        Assert.Equal(0, canary.Connections);
        Assert.DoesNotContain(server.Heads, head => head.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task ConnectionRefused_IsNotSentWithTheReason()
    {
        int port;
        await using (var gone = new RawServer(connection => connection.DrainAsync()))
        {
            port = gone.Port;
        }

        using var client = new TestClient();

        var answer = await client.PostAsync($"http://127.0.0.1:{port}/", "abc");

        Assert.Equal((EspAnswerKind.NotSent, 0L, "socket: ConnectionRefused"), (answer.Kind, answer.BytesHandedOver, answer.Detail));
        Assert.True(answer.BodyReleased);
        Assert.Equal(0, client.OpenClaims);
    }

    [Fact]
    public async Task PlainServerCalledByTls_IsNotSent()
    {
        await using var server = new RawServer(async connection => await connection.SendAsync("HTTP/1.1 400 Bad\r\n\r\n"));
        using var client = new TestClient();

        var answer = await client.PostAsync($"https://127.0.0.1:{server.Port}/", "abc");

        Assert.Equal((EspAnswerKind.NotSent, 0L), (answer.Kind, answer.BytesHandedOver));
    }

    private sealed class RequestLineFirst : IComparer<string>
    {
        public int Compare(string? x, string? y) => string.CompareOrdinal(Key(x!), Key(y!));

        private static string Key(string line) => line.EndsWith("HTTP/1.1", StringComparison.Ordinal) ? "" : line;
    }
}
