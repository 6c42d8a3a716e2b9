using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace GenericHttpEsp.Tests.Wiring;

/// <summary>Our SQL under Orleans' own AdoNet storage, in the real silo: what grains rely on, case by case, on both engines.</summary>
public sealed class GrainStorageTests(PostgresServer server)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task State_ThroughItsLife_HasTheVersionsAndFlagsGrainsExpect(string engine)
    {
        await using var application = await StartAsync(engine);
        var storage = Storage(application);
        var read = await ReadAsync(storage, "campaign", 7);
        Assert.False(read.RecordExists);

        await WriteAsync(storage, "campaign", 7, read, "first");
        await WriteAsync(storage, "campaign", 7, read, "second");
        Assert.Equal(("2", true), (read.ETag, read.RecordExists));
        Assert.Equal("second", (await ReadAsync(storage, "campaign", 7)).State!.Name);

        await storage.ClearStateAsync("campaign", Id("campaign", 7), read);
        Assert.False(read.RecordExists);
        Assert.False((await ReadAsync(storage, "campaign", 7)).RecordExists);
        await WriteAsync(storage, "campaign", 7, read, "again");
        var last = await ReadAsync(storage, "campaign", 7);
        Assert.Equal(("again", "4", Stage.LastCall), (last.State!.Name, last.ETag, last.State.Status));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Write_OfAnOlderVersion_IsAConflictAndChangesNothing(string engine)
    {
        await using var application = await StartAsync(engine);
        var storage = Storage(application);
        var mine = await ReadAsync(storage, "campaign", 1);
        await WriteAsync(storage, "campaign", 1, mine, "one");
        var other = await ReadAsync(storage, "campaign", 1);
        await WriteAsync(storage, "campaign", 1, mine, "two");

        await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(storage, "campaign", 1, other, "lost"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("campaign", Id("campaign", 1), other));
        Assert.Equal("two", (await ReadAsync(storage, "campaign", 1)).State!.Name);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task FirstWriters_ThirtyTwoAtOnce_OneWins(string engine)
    {
        await using var application = await StartAsync(engine);
        var storage = Storage(application);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Task.Run(async () =>
        {
            try
            {
                await WriteAsync(storage, "campaign", 5, new GrainState<SampleState>(new SampleState()), $"writer {i}");
                return true;
            }
            catch (InconsistentStateException)
            {
                return false;
            }
        })));

        Assert.Single(outcomes, static won => won);
        Assert.Equal("1", (await ReadAsync(storage, "campaign", 5)).ETag);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Providers_WithOneName_AreRefused(string engine)
    {
        await using var application = await StartAsync(engine);
        var storage = Storage(application);
        var first = await ReadAsync(storage, "provider", 1);
        await WriteAsync(storage, "provider", 1, first, "mine");
        await Assert.ThrowsAnyAsync<Exception>(async () => await WriteAsync(storage, "provider", 2, await ReadAsync(storage, "provider", 2), "mine"));
        Assert.False((await ReadAsync(storage, "provider", 2)).RecordExists);

        await WriteAsync(storage, "campaign", 1, await ReadAsync(storage, "campaign", 1), "mine");
        await storage.ClearStateAsync("provider", Id("provider", 1), first);
        await WriteAsync(storage, "provider", 2, await ReadAsync(storage, "provider", 2), "mine");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Grains_OfTwoTypesWithOneKey_KeepTheirOwnStateOverARestart(string engine)
    {
        await using var application = await StartAsync(engine);
        await application.Grains.GetGrain<IFirstSampleGrain>(3).Rename("first");
        await application.Grains.GetGrain<ISecondSampleGrain>(3).Rename("second");

        await application.RestartAsync();

        Assert.Equal("first", await application.Grains.GetGrain<IFirstSampleGrain>(3).Name());
        Assert.Equal("second", await application.Grains.GetGrain<ISecondSampleGrain>(3).Name());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Rows_HoldPlainJsonAndTheColumnsOfLists(string engine)
    {
        await using var application = await StartAsync(engine);
        await application.Grains.GetGrain<IFirstSampleGrain>(9).Rename("Zoë");
        var (payload, name, status) = await GrainRows.ReadAsync(application, "sampleFirst", 9, TestContext.Current.CancellationToken);
        Assert.Equal("""{"Name":"Zoë","Status":"lastCall"}""", System.Text.RegularExpressions.Regex.Unescape(payload));
        Assert.Equal(("Zoë", "lastCall"), (name, status));
    }

    private async Task<TestApplication> StartAsync(string engine) => await TestApplication.StartAsync(Engines.Parse(engine), server);

    private static IGrainStorage Storage(TestApplication application) => application.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Grains);

    private static GrainId Id(string type, long key) => GrainId.Create(GrainType.Create(type), GrainIdKeyExtensions.CreateIntegerKey(key));

    private static async Task<GrainState<SampleState>> ReadAsync(IGrainStorage storage, string name, long key)
    {
        var state = new GrainState<SampleState>(new SampleState());
        await storage.ReadStateAsync(name, Id(name, key), state);
        return state;
    }

    private static Task WriteAsync(IGrainStorage storage, string name, long key, GrainState<SampleState> state, string value)
    {
        state.State = new SampleState { Name = value, Status = Stage.LastCall };
        return storage.WriteStateAsync(name, Id(name, key), state);
    }
}
