using GenericHttpEsp.Sandbox;
using GenericHttpEsp.SystemTests.Fire;
using GenericHttpEsp.Wiring;
using Npgsql;

namespace GenericHttpEsp.SystemTests.Cluster;

[Collection(ClusterFire.Name)]
public sealed class UpgradeTests(ClusterPostgres postgres)
{
    private static readonly SandboxBehaviour Slow = new() { LatencyMilliseconds = 700, LatencyJitterMilliseconds = 400 };

    /// <summary>
    /// F34: silos of the previous version are replaced one after the other in the middle of a campaign; in between both versions work side by side, on the
    /// schema of the present one, which the first new silo makes while the others send. From the commit before the last migration, or the one that
    /// <c>GHE_FIRE_PREVIOUS</c> names; a clone need not have any history. Afterwards the previous version is refused, if there was a migration.
    /// </summary>
    [Fact]
    public async Task RollingUpgrade_InACampaign_LosesNobodyAndLeavesNothingUnknown()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var commit = Environment.GetEnvironmentVariable("GHE_FIRE_PREVIOUS") ?? await PreviousVersion.BeforeLastMigrationAsync(cancellationToken);
        Assert.SkipWhen(string.IsNullOrEmpty(commit), "This clone has no commit from before the last migration, and GHE_FIRE_PREVIOUS names none.");
        var people = FireSize.Of(ci: 8000, full: 100_000);
        using var previous = await PreviousVersion.BuildAsync(commit, cancellationToken);
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), behaviour: Slow, program: previous.Program);
        var before = await SchemaAsync(bench);
        await bench.ImportAsync(people, partitions: 12);
        var campaign = await bench.CampaignAsync(size: 100, concurrency: 3);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(3);
        var whileSending = 0;
        foreach (var silo in bench.Silos)
        {
            whileSending += await bench.StatusAsync(campaign) == "running" ? 1 : 0;
            await silo.TermAsync();
            await silo.StartAsync();
            await bench.WaitForRequestsAsync(1);
        }

        Assert.True(whileSending >= 2, "The campaign was over too soon.");
        var after = await SchemaAsync(bench);
        (await FireVerdict.HoldsAsync(bench, campaign, people, unknownMax: 0))
            .Report($"F34: rolling upgrade from {commit}, schema {before} to {after}", bench.Silos.Count, TimeSpan.Zero);
        if (after > before)
        {
            bench.Silos[0].Launch(program: previous.Program);
            Assert.NotEqual(0, await bench.Silos[0].EndAsync());
            Assert.Contains($"schema version {after}", bench.Silos[0].Server.Output, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// The same from the old version's side, without any history: a later version migrates the database under silos that send. They go on; one that ends is refused,
    /// with a line and an exit code of its own, and leaves everything as it is.
    /// </summary>
    [Fact]
    public async Task LaterSchema_InACampaign_IsGoneOnWith_AndRefusedAtAStart()
    {
        const int People = 4000;
        await using var bench = await ClusterBench.StartAsync(await postgres.ServerAsync(), silos: 2, behaviour: Slow);
        await bench.ImportAsync(People, partitions: 12);
        var campaign = await bench.CampaignAsync(size: 50, concurrency: 3);
        await bench.StartCampaignAsync(campaign);
        await bench.WaitForRequestsAsync(3);

        var later = await SchemaAsync(bench) + 1;
        await MigrateAsync(bench, later);
        await bench.WaitForRequestsAsync(6);
        Assert.Equal("running", await bench.StatusAsync(campaign));
        var refused = bench.Silos[1];
        await refused.TermAsync();
        for (var start = 0; start < 2; start++)
        {
            refused.Launch();
            Assert.Equal(StartRefusal.NewerSchema, await refused.EndAsync());
            Assert.Contains($"cannot start: The database has schema version {later}", refused.Server.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", refused.Server.Output, StringComparison.Ordinal);
        }

        Assert.Equal(later, await SchemaAsync(bench));
        Assert.Equal(1, await bench.ActiveAsync());
        (await FireVerdict.HoldsAsync(bench, campaign, People, unknownMax: 0)).Report("F34: a later schema under running silos", 1, TimeSpan.Zero);
    }

    /// <summary>What migrations do: columns with and without a default, an index, a table, in one transaction, on the tables that are written to all the time.</summary>
    private static async Task MigrateAsync(ClusterBench bench, int number)
    {
        await using var connection = new NpgsqlConnection(bench.Database);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            $"""
            alter table batches add column later bigint not null default 0;
            alter table partitions add column later text;
            alter table campaign_work add column later bigint not null default 0;
            alter table runs add column later bigint not null default 0;
            alter table profiles add column later text;
            create index later_batches on batches (campaign_id, later);
            create table later_things (id bigint primary key);
            insert into schema_version (number, name) values ({number}, 'later')
            """,
            connection,
            transaction);
        await command.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private static Task<int> SchemaAsync(ClusterBench bench) =>
        bench.ReadAsync(static session => session.FirstAsync("select max(number) from schema_version", static row => row.GetInt32(0)));
}
