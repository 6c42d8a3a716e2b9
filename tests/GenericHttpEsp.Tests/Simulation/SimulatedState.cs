using System.Globalization;
using System.Text.Json;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Recipients;
using Orleans.Core;
using Orleans.Storage;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>The stored state of the campaign, with its version: the storage of the packages is not ours to prove.</summary>
internal sealed class CampaignRow
{
    private string _json = "{}";

    public int Version { get; private set; }

    public string? Status { get; private set; }

    /// <summary>Ticks of the last change of the status.</summary>
    public long ChangedAt { get; private set; }

    public CampaignState State => JsonSerializer.Deserialize<CampaignState>(_json)!;

    public void Write(CampaignState state, long now)
    {
        (_json, Version) = (JsonSerializer.Serialize(state), Version + 1);
        ChangedAt = state.Status == Status ? ChangedAt : now;
        Status = state.Status;
    }
}

internal sealed class CampaignStorage(CampaignRow row, Node node, SimulatedServer server) : IPersistentState<CampaignState>
{
    public CampaignState State { get; set; } = new();

    public string? Etag { get; private set; }

    public bool RecordExists => Etag is not null;

    string IStorage.Etag => Etag!;

    public async Task ReadStateAsync()
    {
        await node.YieldAsync();
        (State, Etag) = (row.State, row.Version.ToString(CultureInfo.InvariantCulture));
    }

    public async Task WriteStateAsync()
    {
        await node.YieldAsync();
        if (Etag != row.Version.ToString(CultureInfo.InvariantCulture))
        {
            throw new InconsistentStateException("The campaign moved on in another activation.", "", Etag!);
        }

        var fails = server.Trouble > 0 && node.World.Chance(server.Trouble);
        if (!fails || node.World.Chance(0.5))
        {
            row.Write(State, node.World.Ticks);
            node.World.Tell($"campaign is {row.Status} in storage, by {node.Name}");
        }

        await node.YieldAsync();
        if (fails)
        {
            throw new SimulatedDbException("The state could not be written.", transient: true);
        }

        Etag = row.Version.ToString(CultureInfo.InvariantCulture);
    }

    public Task ClearStateAsync() => throw new NotSupportedException();
}

/// <summary>What Orleans puts between a grain and its storage.</summary>
internal sealed class SubscriptionStorage(RecipientGrainStorage storage, GrainId id) : IPersistentState<SubscriptionState>
{
    private readonly GrainState<SubscriptionState> _state = new(new SubscriptionState());

    public SubscriptionState State
    {
        get => _state.State!;
        set => _state.State = value;
    }

    public string? Etag => _state.ETag;

    public bool RecordExists => _state.RecordExists;

    string IStorage.Etag => _state.ETag!;

    public Task ReadStateAsync() => storage.ReadStateAsync("subscription", id, _state);

    public Task WriteStateAsync() => storage.WriteStateAsync("subscription", id, _state);

    public Task ClearStateAsync() => storage.ClearStateAsync("subscription", id, _state);
}
