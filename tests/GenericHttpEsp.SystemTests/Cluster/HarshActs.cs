using System.IO.Compression;
using System.Text;
using GenericHttpEsp.Dispatch;

namespace GenericHttpEsp.SystemTests.Cluster;

/// <summary>Bytes of ESPs that behave badly. Whoever was read whole counts as taken, unless the answer says otherwise: a second request would be a second mail.</summary>
internal static class HarshActs
{
    private const int BombMegabytes = 256;
    private const string Status = "HTTP/1.1 200 OK\r\n";
    private static readonly TimeSpan Drip = TimeSpan.FromSeconds(1);
    private static readonly Lazy<string> Bomb = new(Zip);

    public static HarshAct Ok { get; } = Taken("200", RecordOutcome.Accepted, static request => AnswerAsync(request, Status, "{}"));

    /// <summary>Nothing is said before the sender leaves.</summary>
    public static HarshAct Sleep { get; } = Taken("sleeps after the body", RecordOutcome.Unknown, static async request =>
    {
        await request.Connection.DrainAsync();
        return false;
    });

    public static HarshAct HalfClose { get; } = Taken("half close", RecordOutcome.Unknown, static async request =>
    {
        request.Connection.HalfClose();
        await request.Connection.DrainAsync();
        return false;
    });

    public static HarshAct EmptyReply { get; } = Taken("empty reply", RecordOutcome.Unknown, static _ => Task.FromResult(false));

    /// <summary>The head was read: a small body is in the sender's socket already, so it cannot know; nothing was taken.</summary>
    public static HarshAct ResetInRequest { get; } = new("RST mid-request", static request =>
    {
        request.Connection.Reset();
        return Task.FromResult(false);
    })
    { ReadsBody = false };

    public static HarshAct ResetAfterBody { get; } = Taken("RST after the body", RecordOutcome.Unknown, static request =>
    {
        request.Connection.Reset();
        return Task.FromResult(false);
    });

    public static HarshAct ResetInStatus { get; } = Taken("RST in the status line", RecordOutcome.Unknown, static request => BreakOffAsync(request, "HTTP/1.1 2"));

    /// <summary>The status was read: that is an answer.</summary>
    public static HarshAct CutInAnswer { get; } = Taken("cut in the answer's body", RecordOutcome.Accepted, static async request =>
    {
        await request.SendAsync($"{Status}Content-Length: 100\r\n\r\n{{\"results\"");
        return false;
    });

    /// <summary>It promised to keep the connection; whoever comes over it next comes too late.</summary>
    public static HarshAct CloseKept { get; } = Taken("keep-alive closed", RecordOutcome.Accepted, static async request =>
    {
        await AnswerAsync(request, $"{Status}Connection: keep-alive\r\n", "{}");
        return false;
    });

    /// <summary>One byte a second, long before the status is whole.</summary>
    public static HarshAct SlowHead { get; } = Taken("slow head", RecordOutcome.Unknown, static request => DripAsync(request, "HTTP/1.1 ", new string('0', 100)));

    /// <summary>One byte a second of a body.</summary>
    public static HarshAct SlowBody { get; } = Taken("slow body", RecordOutcome.Accepted, static request => DripAsync(request, $"{Status}Content-Length: 100\r\n\r\n", new string('x', 100)));

    public static HarshAct Html { get; } = Garbage("200 with HTML", static request => AnswerAsync(request, $"{Status}Content-Type: text/html\r\n", "<html><body>Welcome</body></html>"));

    public static HarshAct TruncatedJson { get; } = Garbage("200 with truncated JSON", static request => AnswerAsync(request, $"{Status}Content-Type: application/json\r\n", "{\"results\":[{\"id\":\"a"));

    public static HarshAct Endless { get; } = Garbage("endless chunked body", static async request =>
    {
        await request.SendAsync($"{Status}Transfer-Encoding: chunked\r\n\r\n");
        var chunk = $"4000\r\n{new string('z', 0x4000)}\r\n";
        while (true)
        {
            await request.SendAsync(chunk);
        }
    });

    /// <summary>The sender did not say that it reads gzip.</summary>
    public static HarshAct GzipBomb { get; } = Garbage("gzip bomb", static request => AnswerAsync(request, $"{Status}Content-Encoding: gzip\r\n", Bomb.Value));

    /// <summary>No status that anybody may believe.</summary>
    public static HarshAct LargeHead { get; } = Taken("headers over 64 KB", RecordOutcome.Unknown, static async request =>
    {
        await request.SendAsync($"{Status}X-Large: {new string('h', 96 * 1024)}\r\nContent-Length: 0\r\n\r\n");
        await request.Connection.DrainAsync();
        return false;
    });

    public static HarshAct InformationalFlood { get; } = Taken("1xx flood", RecordOutcome.Unknown, static async request =>
    {
        var hints = string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", 100));
        while (true)
        {
            await request.SendAsync(hints);
        }
    });

    /// <summary>Refused until later; who comes again is taken.</summary>
    /// <param name="name">In failures.</param>
    /// <param name="retryAfter">The header's value, made when it is answered; null leaves it out.</param>
    public static HarshAct Later(string name, Func<string?> retryAfter) => new(name, request =>
        AnswerAsync(request, $"HTTP/1.1 429 Too Many Requests\r\n{(retryAfter() is { } value ? $"Retry-After: {value}\r\n" : "")}", "{}"));

    /// <summary>A 200 whose body says nothing about anybody: accepted, or unknown where the provider's answers are read record by record.</summary>
    private static HarshAct Garbage(string name, Func<HarshRequest, Task<bool>> play) => Taken(name, RecordOutcome.Accepted, play);

    private static HarshAct Taken(string name, RecordOutcome expected, Func<HarshRequest, Task<bool>> play) => new(name, request =>
    {
        request.Take();
        return play(request);
    })
    { Expected = expected };

    private static async Task<bool> AnswerAsync(HarshRequest request, string head, string body)
    {
        await request.SendAsync($"{head}Content-Length: {body.Length}\r\n\r\n{body}");
        return true;
    }

    private static async Task<bool> BreakOffAsync(HarshRequest request, string text)
    {
        await request.SendAsync(text);
        request.Connection.Reset();
        return false;
    }

    private static async Task<bool> DripAsync(HarshRequest request, string first, string slowly)
    {
        await request.SendAsync(first);
        var left = request.Connection.DrainAsync();
        foreach (var one in slowly)
        {
            await Task.WhenAny(left, request.Connection.WaitForAsync(Task.Delay(Drip, TestContext.Current.CancellationToken)));
            if (left.IsCompleted)
            {
                break;
            }

            await request.SendAsync($"{one}");
        }

        return false;
    }

    private static string Zip()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < BombMegabytes; i++)
            {
                gzip.Write(zeros);
            }
        }

        return Encoding.Latin1.GetString(packed.ToArray());
    }
}
