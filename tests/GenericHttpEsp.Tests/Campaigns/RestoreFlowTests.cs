using System.Text.Json.Nodes;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Sandbox;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using GenericHttpEsp.Wiring;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace GenericHttpEsp.Tests.Campaigns;

/// <summary>A backup is taken while a campaign is half-way; the original sends on; then a server starts on the copy.</summary>
public sealed class RestoreFlowTests(PostgresServer server)
{
    private const int People = 2000;
    private const int Half = 500;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backup_TakenHalfWay_StartsPausedAndGoesOnWhenResumed()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        using var backup = new TemporaryFolder();
        var (half, later) = await HalfWayAsync(bench);
        Assert.Equal(0, await BackupProgram.RunAsync([backup.Path, $"--Storage:DataDirectory={bench.Application.Folder}"]));
        Assert.Equal(["grains.db", "ledger.db"], Directory.GetFiles(backup.Path).Select(static file => Path.GetFileName(file)).Order());
        Assert.Equal(1, await BackupProgram.RunAsync([backup.Path, $"--Storage:DataDirectory={bench.Application.Folder}"]));
        File.Copy(Path.Combine(bench.Application.Folder, "secret.key"), Path.Combine(backup.Path, "secret.key"));
        await SendOnAsync(bench, half);

        await HoldsUntilResumedAsync(bench, half, later, "it is the copy that \"backup\" made at", $"--Storage:DataDirectory={backup.Path}");
    }

    [Fact]
    public async Task Files_RestoredByHand_StartPaused()
    {
        await using var bench = await CampaignBench.StartAsync("Sqlite", server);
        using var restored = new TemporaryFolder();
        var (half, later) = await HalfWayAsync(bench);
        await CopyAsync(bench.Application.Folder, restored.Path, "grains.db");
        await CopyAsync(bench.Application.Folder, restored.Path, "ledger.db");
        File.Copy(Path.Combine(bench.Application.Folder, "secret.key"), Path.Combine(restored.Path, "secret.key"));
        await SendOnAsync(bench, half);

        await HoldsUntilResumedAsync(bench, half, later, "its database file is not the one that was last used", $"--Storage:DataDirectory={restored.Path}");
    }

    [Fact]
    public async Task Dump_TakenHalfWay_StartsPausedAndKnowsNoOldSilo()
    {
        await using var bench = await CampaignBench.StartAsync("PostgreSql", server);
        var (half, later) = await HalfWayAsync(bench);
        var original = bench.Application.Services.GetRequiredService<IConfiguration>().GetConnectionString("Postgres")!;
        var dump = await server.DumpAsync(original, Stop);
        await SendOnAsync(bench, half);
        var restored = await server.RestoreAsync(dump, Stop);

        await HoldsUntilResumedAsync(
            bench, half, later, "its database was copied to where it is now", $"--ConnectionStrings:Postgres={restored}", $"--Secrets:KeyFile={bench.Application.Folder}/secret.key");

        await using var source = NpgsqlDataSource.Create(restored);
        await using var members = source.CreateCommand("select count(*) from OrleansMembership");
        Assert.Equal(1L, await members.ExecuteScalarAsync(Stop));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Restart_OfTheOriginal_GoesOnUnlessSomebodySaysRestored(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        var (half, _) = await HalfWayAsync(bench);
        var connection = bench.Application.Services.GetRequiredService<IConfiguration>().GetConnectionString("Postgres");
        await bench.Application.RestartAsync();
        Assert.Equal("running", (string)(await bench.StatsAsync(half))["status"]!);

        await bench.Application.StopAsync();
        Assert.Equal(0, await RestoredProgram.RunAsync([$"--Storage:DataDirectory={bench.Application.Folder}", $"--ConnectionStrings:Postgres={connection}"]));
        await bench.Application.RestartAsync();

        var stats = await bench.WatchAsync(half, static stats => (string)stats["status"]! == "paused");
        Assert.Contains("somebody said so", (string)stats["reason"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restored_WithoutADatabase_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(1, await RestoredProgram.RunAsync([$"--Storage:DataDirectory={folder.Path}"]));
        Assert.Equal(1, await BackupProgram.RunAsync([Path.Combine(folder.Path, "backup"), $"--Storage:DataDirectory={folder.Path}"]));
        Assert.Equal(2, await BackupProgram.RunAsync([]));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    /// <summary>One campaign half-way, and one that waits for a time in the past of any restored copy.</summary>
    private static async Task<(long Half, long Later)> HalfWayAsync(CampaignBench bench)
    {
        await bench.ImportAsync(People);
        var provider = await bench.ProviderAsync(20, new JsonObject { ["limits"] = new JsonObject { ["requestsPerSecond"] = 6 } });
        var later = await bench.CampaignAsync(provider, new JsonObject { ["name"] = "Later", ["schedule"] = DateTimeOffset.UnixEpoch.AddYears(200).ToString("O") });
        Assert.Equal("scheduled", (string)(await bench.ActAsync(later, "start"))["status"]!);
        var half = await bench.CampaignAsync(provider);
        await bench.ActAsync(half, "start");
        await bench.WatchAsync(half, static stats => (long)stats["accepted"]! >= Half);
        return (half, later);
    }

    /// <summary>What is sent from here on the copy does not know.</summary>
    private static async Task SendOnAsync(CampaignBench bench, long campaign)
    {
        var stats = await bench.StatsAsync(campaign);
        await bench.WatchAsync(campaign, next => (long)next["accepted"]! >= (long)stats["accepted"]! + 100);
        await bench.Application.StopAsync();
    }

    private async Task HoldsUntilResumedAsync(CampaignBench bench, long half, long later, string because, params string[] settings)
    {
        var (before, known) = (bench.Sandbox.Entries()[^1].Sequence, Accepted(bench).ToHashSet());
        Assert.InRange(known.Count, Half, People - 1);
        var engine = settings[0].StartsWith("--ConnectionStrings", StringComparison.Ordinal) ? StorageEngine.PostgreSql : StorageEngine.Sqlite;
        await using var copy = await TestApplication.StartAsync(engine, server, ["--Dispatch:AllowedNetworks:0=127.0.0.1", .. settings]);
        var restored = CampaignBench.On(copy, bench.Sandbox);

        var held = await restored.WatchAsync(half, static stats => (string)stats["status"]! is "paused" or "completed");
        Assert.Equal("paused", (string)held["status"]!);
        foreach (var campaign in (long[])[half, later])
        {
            await restored.WatchAsync(campaign, static stats => (string)stats["status"]! == "paused");
            var answer = await CampaignBench.OkAsync(copy.Client.GetAsync($"/v1/campaigns/{campaign}"));
            Assert.StartsWith($"Restored from a backup: {because}", (string)answer["reason"]!, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(bench.Sandbox.Entries(before), static entry => entry.Kind == SandboxEntryKind.Head);

        Assert.Equal("scheduled", (string)(await restored.ActAsync(later, "resume"))["status"]!);
        Assert.Equal("scheduled", (string)(await restored.ActAsync(later, "resume"))["status"]!);
        await restored.ActAsync(half, "resume");
        var stats = await restored.WatchAsync(half);
        Assert.Equal("completed", (string)stats["status"]!);
        Assert.Empty((await CampaignBench.OkAsync(copy.Client.GetAsync($"/v1/campaigns/{half}/verify")))["problems"]!.AsArray());
        // Whoever was on the wire when the copy was made is unknown in it, and is not sent to again.
        Assert.Equal(People, (long)stats["accepted"]! + (long)stats["unknown"]!);
        Assert.Equal(People, Accepted(bench).Distinct().Count());
        // The documented price of resuming, and the proof that the copy was older.
        Assert.Contains(bench.Sandbox.Entries(before).SelectMany(static entry => entry.AcceptedAddresses), known.Contains);
    }

    /// <summary>
    /// The ledger of a restored pair is the younger one: a campaign that is a draft in the one has begun in the other, another month. What waits of it lies under
    /// the date on which it began.
    /// </summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Draft_WhoseRunStandsInTheLedger_GoesOnWithItsDate(string engine)
    {
        await using var bench = await CampaignBench.StartAsync(engine, server);
        await bench.ImportAsync(30);
        var campaign = await bench.CampaignAsync(await bench.ProviderAsync(10));
        var began = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().AddDays(-40).ToUnixTimeMilliseconds());
        await bench.Application.Services.GetRequiredService<AudienceStore>().CreateRunAsync(campaign, 1, CampaignRuns.DateOf(began), began, AudienceFilter.Everyone, Stop);
        await bench.Application.Services.GetRequiredService<LedgerDatabase>().WriteAsync(
            WriteKind.Event, session => session.ExecuteAsync("update partitions set epoch = 1 where campaign_id = @id", ("@id", campaign)), cancellationToken: Stop);
        // All have to wait once: what waits is what would not be found.
        bench.Sandbox.Behaviour = new SandboxBehaviour { TooManyRequestsShare = 1, RetryAfterSeconds = 1 };

        await bench.ActAsync(campaign, "start");
        await bench.Sandbox.WaitForEntryAsync(static entry => entry.Kind == SandboxEntryKind.Answered, Stop);
        bench.Sandbox.Behaviour = new SandboxBehaviour();

        Assert.Equal(30, (long)(await bench.WatchAsync(campaign))["accepted"]!);
        Assert.Equal(began, (DateTimeOffset)(await CampaignBench.OkAsync(bench.Client.GetAsync($"/v1/campaigns/{campaign}", Stop)))["startedAt"]!);
        await bench.HoldsAsync(campaign);
    }

    private static IEnumerable<string> Accepted(CampaignBench bench) => bench.Sandbox.Entries().SelectMany(static entry => entry.AcceptedAddresses);

    /// <summary>As <c>sqlite3 file ".backup copy"</c> does.</summary>
    private static async Task CopyAsync(string from, string to, string file)
    {
        await using var source = new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(from, file)));
        await using var copy = new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(to, file)));
        await source.OpenAsync(Stop);
        await copy.OpenAsync(Stop);
        source.BackupDatabase(copy);
    }
}
