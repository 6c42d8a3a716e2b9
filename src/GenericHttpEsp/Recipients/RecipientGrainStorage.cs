using System.Globalization;
using System.Text.Json;
using GenericHttpEsp.Storage;
using Orleans.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// Storage of the recipients' grains: reads and writes of many grains share statements and transactions; acknowledged after the commit, never before.
/// The ETag is the row's version. (Through AdoNet storage an operation costs ten times as much: a connection, a statement and a commit each.)
/// </summary>
internal sealed class RecipientGrainStorage : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>, IAsyncDisposable
{
    public const string Name = "recipients";
    private const int Lanes = 2;
    private static readonly SubscriptionColumns Nothing = Columns(new SubscriptionState());
    private readonly Coalescer<byte[], StoredSubscription> _reads;
    private readonly Coalescer<SubscriptionWrite, long?> _writes;

    public RecipientGrainStorage(LedgerDatabase database, TimeProvider time)
    {
        _reads = new(SubscriptionStore.Number, keys => database.ReadAsync(session => SubscriptionStore.ReadAsync(session, keys)), Lanes);
        _writes = new(
            static write => SubscriptionStore.Number(write.Key),
            writes => database.WriteAsync(
                WriteKind.Forbid,
                session => SubscriptionStore.WriteAsync(session, writes, time.GetUtcNow().ToUnixTimeMilliseconds()),
                writes.Count),
            Lanes);
    }

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var stored = await _reads.RunAsync(Key(grainId));
        Set(Own(grainState), stored.Columns is { } columns ? State(columns) : new SubscriptionState(), stored.Version);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // The columns are taken on the grain's turn, before anything waits: a consistent picture.
        var own = Own(grainState);
        var state = own.State!;
        var columns = Columns(state);
        await ChangeAsync(grainId, own, columns, onlyVerify: columns == (state.Stored ?? Nothing));
        state.Stored = own.RecordExists ? columns : null;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var own = Own(grainState);
        await ChangeAsync(grainId, own, columns: null, onlyVerify: Version(own) == 0);
        own.State = new SubscriptionState();
    }

    /// <summary>The stage that stops after the grains have been deactivated: what they wrote is still taken.</summary>
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(RecipientGrainStorage), ServiceLifecycleStage.ApplicationServices, static _ => Task.CompletedTask, _ => DisposeAsync().AsTask());

    public async ValueTask DisposeAsync()
    {
        await _writes.DisposeAsync();
        await _reads.DisposeAsync();
    }

    private async Task ChangeAsync(GrainId grainId, IGrainState<SubscriptionState> own, SubscriptionColumns? columns, bool onlyVerify)
    {
        var version = await _writes.RunAsync(new SubscriptionWrite(Key(grainId), columns, Version(own), onlyVerify));
        Set(own, own.State!, version ?? throw new InconsistentStateException("The subscription moved on in another activation.", "", own.ETag));
    }

    private static void Set(IGrainState<SubscriptionState> own, SubscriptionState state, long version)
    {
        own.State = state;
        own.RecordExists = version > 0;
        own.ETag = version > 0 ? version.ToString(CultureInfo.InvariantCulture) : null;
    }

    private static long Version(IGrainState<SubscriptionState> own) => own.ETag is null ? 0 : long.Parse(own.ETag, CultureInfo.InvariantCulture);

    private static byte[] Key(GrainId grainId) => Convert.FromHexString(grainId.Key.ToString()!);

    private static IGrainState<SubscriptionState> Own<T>(IGrainState<T> state) =>
        state as IGrainState<SubscriptionState> ?? throw new NotSupportedException($"The storage '{Name}' holds subscriptions only.");

    private static SubscriptionColumns Columns(SubscriptionState state) => new(
        state.Status == SubscriptionStatus.Unsubscribed ? "unsubscribed" : "subscribed",
        state.Reason,
        state.Since,
        state.Status == SubscriptionStatus.Unsubscribed,
        state.Applied.Count == 0 ? "{}" : JsonSerializer.Serialize(state.Applied));

    private static SubscriptionState State(SubscriptionColumns columns) => new()
    {
        Status = columns.Forbids ? SubscriptionStatus.Unsubscribed : SubscriptionStatus.Subscribed,
        Reason = columns.Reason,
        Since = columns.Since,
        Applied = columns.Applied == "{}" ? [] : JsonSerializer.Deserialize<Dictionary<string, long>>(columns.Applied)!,
        Stored = columns,
    };
}
