using System.Net;

namespace GenericHttpEsp.SystemTests;

public sealed class ServerProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-system-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_OnSigterm_EndsWithZeroAndQuietly()
    {
        using var server = ServerProcess.Start(_folder);
        await server.ListenAsync(Stop);
        Assert.Equal(HttpStatusCode.OK, await server.GetAsync("/health/ready", Stop));

        Assert.Equal(0, await server.SignalAsync("TERM", Stop));
        Assert.StartsWith("GenericHttpEsp listens on ", Assert.Single(server.Output.Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_AfterSigkill_StartsOnTheSameDirectory()
    {
        using var killed = ServerProcess.Start(_folder);
        await killed.ListenAsync(Stop);
        await killed.SignalAsync("KILL", Stop);

        using var next = ServerProcess.Start(_folder);
        await next.ListenAsync(Stop);
        Assert.Equal(HttpStatusCode.OK, await next.GetAsync("/v1/keys", Stop));
    }

    [Fact]
    public async Task SecondServer_OnTheDirectory_EndsWithOneAndOneLine()
    {
        using var first = ServerProcess.Start(_folder);
        await first.ListenAsync(Stop);

        using var second = ServerProcess.Start(_folder);

        Assert.Equal(1, await second.EndAsync(Stop));
        Assert.StartsWith("GenericHttpEsp cannot start: Another GenericHttpEsp runs on", Assert.Single(second.Output.Split('\n')), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await first.GetAsync("/health/ready", Stop));
    }

    [Fact]
    public async Task Program_WithAnUnknownVerb_SaysWhichThereAre()
    {
        using var program = ServerProcess.Start(_folder, "dmeo");
        Assert.Equal(2, await program.EndAsync(Stop));
        Assert.Contains("\"dmeo\"", program.Output, StringComparison.Ordinal);
        Assert.Contains("sandbox", program.Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
