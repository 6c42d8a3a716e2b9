using System.Data.Common;
using GenericHttpEsp.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace GenericHttpEsp.Tests.Wiring;

public enum Stage
{
    Draft,
    LastCall,
}

public sealed class SampleState
{
    public string? Name { get; set; }

    public Stage Status { get; set; }
}

[Alias("GenericHttpEsp.Tests.FirstSample")]
public interface IFirstSampleGrain : IGrainWithIntegerKey
{
    [Alias("Rename")]
    Task Rename(string name);

    [Alias("Name")]
    Task<string?> Name();
}

[Alias("GenericHttpEsp.Tests.SecondSample")]
public interface ISecondSampleGrain : IGrainWithIntegerKey
{
    [Alias("Rename")]
    Task Rename(string name);

    [Alias("Name")]
    Task<string?> Name();
}

internal abstract class SampleGrain(IPersistentState<SampleState> state) : Grain
{
    public Task Rename(string name)
    {
        state.State = new SampleState { Name = name, Status = Stage.LastCall };
        return state.WriteStateAsync();
    }

    public Task<string?> Name() => Task.FromResult(state.State.Name);
}

// The state's name is the row's identity beside the key: each type has its own.
[GrainType("test-first")]
internal sealed class FirstSampleGrain([PersistentState("sampleFirst", StorageNames.Grains)] IPersistentState<SampleState> state)
    : SampleGrain(state), IFirstSampleGrain;

[GrainType("test-second")]
internal sealed class SecondSampleGrain([PersistentState("sampleSecond", StorageNames.Grains)] IPersistentState<SampleState> state)
    : SampleGrain(state), ISecondSampleGrain;

/// <summary>A grain's row as it stands in the table.</summary>
internal static class GrainRows
{
    public static async Task<(string Payload, string? Name, string? Status)> ReadAsync(
        TestApplication application, string state, long key, CancellationToken cancellationToken)
    {
        await using DbConnection connection = application.Services.GetService<NpgsqlDataSource>() is { } source
            ? source.CreateConnection()
            : new SqliteConnection(SqliteFiles.ConnectionString(Path.Combine(application.Folder, "grains.db")));
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select PayloadBinary, Name, Status from GrainState where GrainTypeString = '{state}' and GrainIdN1 = {key}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        Assert.True(await reader.ReadAsync(cancellationToken));
        return (System.Text.Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(0)), reader.GetString(1), reader.GetString(2));
    }
}
