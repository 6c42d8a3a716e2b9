using System.Text;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Wiring;

namespace GenericHttpEsp.Tests.Api;

/// <summary>Tests that measure this process's memory run when no other does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Bodies, heads and numbers of connections far above what is taken.</summary>
[Collection(nameof(Alone))]
public sealed class HostileSizeTests(HostileBenches benches) : IClassFixture<HostileBenches>
{
    private const long Body = 100L << 20;
    private const long MemoryMax = 64L << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>On every route, whether it says its length or not: refused without being read, or (an import) read and never held.</summary>
    [Fact]
    public async Task Body_Of100Megabytes_IsNeitherTakenNorHeld()
    {
        var (bench, failures) = (await benches.OfAsync(nameof(StorageEngine.Sqlite)), new List<string>());
        var server = new Uri(bench.Application.Address);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var route in HostileTable.Routes.Where(static route => route.Method != "GET"))
        {
            foreach (var chunked in (bool[])[false, true])
            {
                // What reads no body is asked for something that is not there: it has nothing to do and all the time to read.
                var path = route.Body == HostileBody.None && route.Pattern.Contains("{id", StringComparison.Ordinal) ? bench.Path(route, "id", "9007199254740991") : bench.Path(route);
                var type = route.Body == HostileBody.Lines ? "application/x-ndjson" : "application/json";
                var head = $"{route.Method} {path} HTTP/1.1\r\nAuthorization: Bearer {TestApplication.Key}\r\nContent-Type: {type}";
                var allocated = GC.GetTotalAllocatedBytes();
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
                limit.CancelAfter(TimeSpan.FromSeconds(20));
                var (status, sent) = await RawCall.SendAsync(server, head, Body, chunked, limit.Token);
                allocated = GC.GetTotalAllocatedBytes() - allocated;
                var isRight = route.Body switch
                {
                    HostileBody.None => status is > 0 and < 500,
                    HostileBody.Lines => status == 200,
                    _ => status == 413 && sent < Body / 2,
                };
                // Of our own client: 64 KB a block and their chunks.
                var ours = chunked ? sent + (16 << 20) : 16 << 20;
                failures.AddRange(isRight && allocated < ours + MemoryMax ? [] : [$"{route}, chunked {chunked}: {status} after {sent:N0} bytes, {allocated:N0} bytes allocated"]);
            }
        }

        await bench.StandsAsync(failures);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < MemoryMax, $"memory has grown by {grown:N0} bytes");
    }

    [Theory]
    [InlineData("long header", 431)]
    [InlineData("many headers", 431)]
    [InlineData("long line", 414)]
    [InlineData("no host", 400)]
    [InlineData("two lengths", 400)]
    [InlineData("length and chunks", 400)]
    [InlineData("chunk extension with a line feed", 400)]
    [InlineData("header folded", 400)]
    [InlineData("negative length", 400)]
    public async Task Head_ThatIsHostile_IsRefused(string what, int status)
    {
        var bench = await benches.OfAsync(nameof(StorageEngine.Sqlite));
        var headers = what switch
        {
            "long header" => $"Host: x\r\nX-Long: {new string('x', 20_000)}\r\n\r\n",
            "many headers" => $"Host: x\r\n{string.Concat(Enumerable.Range(0, 100).Select(static i => $"X-{i}: 1\r\n"))}\r\n",
            "no host" => "\r\n",
            "two lengths" => "Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "length and chunks" => "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/keys HTTP/1.1\r\n\r\n",
            "chunk extension with a line feed" => "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\n\r\nx\r\n0\r\n\r\n",
            "header folded" => "Host: x\r\nX-A: 1\r\n X-B: 2\r\n\r\n",
            "negative length" => "Host: x\r\nContent-Length: -1\r\n\r\n",
            _ => "Host: x\r\n\r\n",
        };
        var path = what == "long line" ? "/" + new string('x', 20_000) : bench.Path(HostileTable.Routes.Single(static route => route.Body == HostileBody.Callback));
        Assert.Equal(status, await AskAsync(new Uri(bench.Application.Address), $"POST {path} HTTP/1.1\r\n{headers}"));
        await bench.StandsAsync([]);
    }

    [Fact]
    public async Task Connections_AboveTheirNumber_AreClosed_AndTheOthersServed()
    {
        await using var application = await TestApplication.StartAsync(settings: ["--Api:ConnectionsMax=10"]);
        var server = new Uri(application.Address);
        var held = new List<System.Net.Sockets.TcpClient>();
        try
        {
            for (var i = 0; i < 10; i++)
            {
                var client = new System.Net.Sockets.TcpClient();
                held.Add(client);
                await client.ConnectAsync(System.Net.IPAddress.Loopback, server.Port, Stop);
                await client.GetStream().WriteAsync("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
                Assert.True(await client.GetStream().ReadAsync(new byte[4096], Stop) > 0);
            }

            Assert.Equal(0, await AskAsync(server, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"));
        }
        finally
        {
            held.ForEach(static client => client.Dispose());
        }
    }

    private static async Task<int> AskAsync(Uri server, string text)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, server.Port, Stop);
        var answer = new byte[4096];
        try
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), Stop);
            var read = await client.GetStream().ReadAsync(answer, Stop);
            return read < 12 ? 0 : int.Parse(Encoding.Latin1.GetString(answer, 9, 3), System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
