using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;

namespace GenericHttpEsp.SystemTests.Fire;

/// <summary>The built program as one process on a directory of its own.</summary>
internal sealed class FireBench : FireDriver
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghe-fire-").FullName;

    private FireBench(SandboxHost sandbox)
        : base(sandbox)
    {
    }

    public ServerProcess Server { get; private set; } = null!;

    public override HttpClient Door => Server.Client;

    public string Folder => _folder;

    public static async Task<FireBench> StartAsync(string? failPoint = null, SandboxBehaviour? behaviour = null)
    {
        var bench = new FireBench(await SandboxAsync(behaviour));
        await bench.RestartAsync(failPoint);
        return bench;
    }

    /// <summary>Starts the program on the directory; whatever ran before has ended.</summary>
    public Task RestartAsync(string? failPoint = null)
    {
        Launch(failPoint);
        return Server.ListenAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts the program, which may end before it listens.</summary>
    public void Launch(string? failPoint)
    {
        Server?.Dispose();
        Server = ServerProcess.Start(
            new ServerLaunch(_folder, ["--Dispatch:AllowedNetworks:0=127.0.0.1", $"--Dispatch:AttemptTimeoutSeconds={AttemptTimeoutSeconds}"]) { FailPoint = failPoint });
    }

    /// <summary>The program ends itself at its fail point.</summary>
    public async Task CrashAsync()
    {
        Assert.NotEqual(0, await Server.EndAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Fail point ", Server.Output, StringComparison.Ordinal);
    }

    /// <summary>SIGKILL. Answers what was on the wire by the files it left; the kill counts only if that is somebody.</summary>
    public async Task<FireLedger> KillAsync(long campaign)
    {
        Assert.NotEqual(0, await Server.SignalAsync("KILL", TestContext.Current.CancellationToken));
        return await LeftAsync(campaign);
    }

    /// <summary>What the ended server left. What is judged from here on was sent after it.</summary>
    public async Task<FireLedger> LeftAsync(long campaign)
    {
        await SettleAsync();
        return await FireLedger.ReadAsync(this, campaign);
    }

    public override async Task<T> ReadAsync<T>(Func<LedgerSession, Task<T>> read)
    {
        if (!Server.HasEnded)
        {
            return await ReadAsync(_folder, read);
        }

        // A copy: opening the files would do the recovery that the restarted program has to do.
        var copy = Directory.CreateTempSubdirectory("ghe-ledger-").FullName;
        try
        {
            foreach (var file in Directory.GetFiles(_folder, "ledger.db*").Where(static file => !file.EndsWith("-shm", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }

            return await ReadAsync(copy, read);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    public override async Task EndServersAsync() => Assert.Equal(0, await Server.SignalAsync("TERM", TestContext.Current.CancellationToken));

    public override async ValueTask DisposeAsync()
    {
        Server.Dispose();
        await Sandbox.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<T> ReadAsync<T>(string folder, Func<LedgerSession, Task<T>> read)
    {
        var connection = new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(folder, "ledger.db")));
        await connection.OpenAsync();
        await using var session = new LedgerSession(connection, StorageEngine.Sqlite);
        return await read(session);
    }
}
