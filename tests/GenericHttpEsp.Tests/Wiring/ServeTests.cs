using System.Net;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Wiring;

public sealed class ServeTests(PostgresServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Server_StartedTwiceOnItsData_IsReadyAndKeepsItsKeys(string engine)
    {
        await using var application = await TestApplication.StartAsync(Engines.Parse(engine), server);
        var first = application.Services.GetRequiredService<InstallationKeys>();
        Assert.Equal(HttpStatusCode.OK, (await application.Client.GetAsync("/health/ready", Stop)).StatusCode);

        await application.RestartAsync();

        var second = application.Services.GetRequiredService<InstallationKeys>();
        Assert.NotSame(first, second);
        Assert.Equal(first.Address, second.Address);
        Assert.Equal(first.AccountId, second.AccountId);
        Assert.Equal(HttpStatusCode.OK, (await application.Client.GetAsync("/health/ready", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await application.Client.GetAsync("/v1/keys", Stop)).StatusCode);
    }

    [Fact]
    public async Task Server_OnADirectoryInUse_IsRefusedWithTheReason()
    {
        await using var application = await TestApplication.StartAsync();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ServeProgram.BuildAsync([$"--Storage:DataDirectory={application.Folder}", "--Urls=http://127.0.0.1:0"]));
        Assert.Contains("Another GenericHttpEsp runs on", StartRefusal.Explain(refusal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_OnATakenPort_EndsWithOne()
    {
        await using var application = await TestApplication.StartAsync();
        using var folder = new TemporaryFolder();
        Assert.Equal(1, await ServeProgram.RunAsync([$"--Storage:DataDirectory={folder.Path}", $"--Urls={application.Address}"]));
    }

    [Fact]
    public async Task Server_WithAWrongOption_EndsWithOne()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, await ServeProgram.RunAsync([$"--Storage:DataDirectory={folder.Path}", "--Urls=http://127.0.0.1:0", "--Storage:ReadersMax=0"]));
    }

    [Fact]
    public async Task Ready_WithoutLedger_AnswersNotReadyAndLiveStays()
    {
        await using var application = await TestApplication.StartAsync();
        await application.Services.GetRequiredService<LedgerDatabase>().DisposeAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await application.Client.GetAsync("/health/ready", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await application.Client.GetAsync("/health/live", Stop)).StatusCode);
    }

    [Fact]
    public async Task Cluster_WithoutAKeyFile_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var postgres = await server.NewDatabaseAsync(Stop);
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ServeProgram.BuildAsync([$"--Storage:DataDirectory={folder.Path}", $"--ConnectionStrings:Postgres={postgres}"]));
        Assert.Contains("Secrets:KeyFile", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new string[0], "serve", false, 0)]
    [InlineData(new[] { "--Urls=http://x" }, "serve", false, 1)]
    [InlineData(new[] { "Urls=http://x" }, "serve", false, 1)]
    [InlineData(new[] { "demo", "--exit", "--Urls=http://x" }, "demo", true, 1)]
    [InlineData(new[] { "sandbox", "--Sandbox:Port=0" }, "sandbox", false, 1)]
    [InlineData(new[] { "dmeo" }, "dmeo", false, 0)]
    public void Arguments_AreSplitIntoVerbAndConfiguration(string[] args, string verb, bool exit, int rest)
    {
        var verbs = Verbs.Parse(args);
        Assert.Equal((verb, exit, rest), (verbs.Verb, verbs.Exit, verbs.Rest.Length));
    }
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ghe-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
