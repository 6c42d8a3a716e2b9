using System.Net;
using GenericHttpEsp.Api;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Wiring;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
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
    public async Task Server_WhileItsLedgerStillWrites_KeepsTheDirectory()
    {
        await using var application = await TestApplication.StartAsync();
        var path = Path.Combine(application.Folder, "lock");
        var database = application.Services.GetRequiredService<LedgerDatabase>();
        var (writing, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var write = database.WriteAsync(WriteKind.Import, async _ =>
        {
            writing.SetResult();
            await release.Task;
            return Assert.Throws<IOException>(() => new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None));
        });
        await writing.Task;
        var stopped = application.StopAsync();
        // Once the ledger takes no more, it is being disposed: it waits for the write, and the lock must wait for it.
        while (!database.WriteAsync(WriteKind.Import, static _ => Task.FromResult(0)).IsFaulted)
        {
            // Each try stands in line: millions of them, on a busy machine, took all memory.
            await Task.Delay(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken);
        }

        release.SetResult();
        await Task.WhenAll(stopped, write);
        await using var free = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    [Theory]
    [InlineData("http://*:8081", null, "http://localhost:8081")]
    [InlineData("http://0.0.0.0:8081;http://other:1", null, "http://localhost:8081")]
    [InlineData("http://[::]:8081/base", null, "http://localhost:8081/base")]
    [InlineData("http://example.org:80/", "https://mail.example.org/x/", "https://mail.example.org/x")]
    public void PublicUrl_BeforeTheServerIsBound_IsToldOrTheFirstOfUrls(string urls, string? told, string expected)
    {
        using var bare = new BareServer();
        var options = Microsoft.Extensions.Options.Options.Create(new PublicUrlOptions { Urls = urls, PublicUrl = told });
        Assert.Equal(expected, new ServerAddresses(options, bare).PublicUrl);
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
        Assert.Equal(1, await HealthProgram.RunAsync([$"--Urls={application.Address}"]));
        Assert.Equal(0, await HealthProgram.RunAsync([$"{application.Address}/health/live"]));
    }

    [Fact]
    public async Task Health_OfAServer_IsTheExitCode()
    {
        await using var application = await TestApplication.StartAsync();
        var address = application.Address;
        Assert.Equal(0, await HealthProgram.RunAsync([$"--Urls={address};http://elsewhere:1"]));
        Assert.Equal(0, await HealthProgram.RunAsync([$"--Urls=http://0.0.0.0:{new Uri(address).Port}"]));
        await application.StopAsync();
        Assert.Equal(1, await HealthProgram.RunAsync([$"--Urls={address}"]));
        Assert.Equal(1, await HealthProgram.RunAsync(["nonsense"]));
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
    [InlineData(new[] { "backup", "/backup/1", "--Storage:DataDirectory=x" }, "backup", false, 2)]
    [InlineData(new[] { "dmeo" }, "dmeo", false, 0)]
    public void Arguments_AreSplitIntoVerbAndConfiguration(string[] args, string verb, bool exit, int rest)
    {
        var verbs = Verbs.Parse(args);
        Assert.Equal((verb, exit, rest), (verbs.Verb, verbs.Exit, verbs.Rest.Length));
    }
}

/// <summary>A server that has not bound anything yet.</summary>
internal sealed class BareServer : IServer
{
    public IFeatureCollection Features { get; } = new FeatureCollection();

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => GC.SuppressFinalize(this);
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ghe-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
