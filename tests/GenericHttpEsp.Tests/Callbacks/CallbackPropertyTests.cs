using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using GenericHttpEsp.Callbacks;
using GenericHttpEsp.Content;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Recipients;
using GenericHttpEsp.Tests.Storage;
using GenericHttpEsp.Tests.Wiring;
using Microsoft.Extensions.DependencyInjection;

namespace GenericHttpEsp.Tests.Callbacks;

/// <summary>Some events about few people, and two ways to deliver them: order, copies and cuts into bodies.</summary>
public sealed record Deliveries(IReadOnlyList<PlannedEvent> Events, IReadOnlyList<int[]> One, IReadOnlyList<int[]> Other);

/// <summary>An event of the plan; few values, so that events coincide.</summary>
public sealed record PlannedEvent(string Type, int Person, int Run, string? Description, long Timestamp, bool Token);

public static class DeliveryArbitraries
{
    private static readonly string[] Types = ["delivered", "hard_bounce", "soft_bounce", "spam", "unsubscribed", "clicked"];

    public static Arbitrary<Deliveries> Deliveries() => Arb.From(
        from events in Event().NonEmptyListOf()
        let known = events.Take(30).ToList()
        from one in Bodies(known.Count)
        from other in Bodies(known.Count)
        select new Deliveries(known, one, other));

    private static Gen<PlannedEvent> Event() =>
        from type in Gen.Elements(Types)
        from person in Gen.Choose(0, 3)
        from run in Gen.Choose(1, 2)
        from description in Gen.Elements(null, "full", "gone p1@x.org", "https://example.com/")
        from timestamp in Gen.Elements(0L, 1000L, 2000L)
        from token in Gen.Elements(true, false, false)
        select new PlannedEvent(type, person, run, description, timestamp, token);

    /// <summary>Every event at least once, some more often, mixed, cut anywhere.</summary>
    private static Gen<IReadOnlyList<int[]>> Bodies(int events) =>
        from copies in Gen.Choose(0, events - 1).ListOf()
        from mixed in Gen.Shuffle(Enumerable.Range(0, events).Concat(copies.Take(20)).ToArray())
        from size in Gen.Choose(1, 12)
        select (IReadOnlyList<int[]>)[.. mixed.Chunk(size)];
}

public sealed class CallbackPropertyTests(CallbackPropertyTests.Benches benches) : IClassFixture<CallbackPropertyTests.Benches>
{
    /// <summary>F24 and its relatives: however the ESP orders, repeats, cuts and joins, there is one truth.</summary>
    [Property(Arbitrary = [typeof(DeliveryArbitraries)], MaxTest = 40)]
    public async Task Bodies_InAnyOrderRepetitionAndGrouping_LeaveOneState(Deliveries given)
    {
        foreach (var bench in await benches.GetAsync())
        {
            var one = await DeliverAsync(bench, given.Events, given.One);
            var other = await DeliverAsync(bench, given.Events, given.Other);
            Assert.Equal(one, other);
            Assert.Equal(one.Counters, await CallbackState.RecountAsync(bench.Database));
        }
    }

    private static async Task<CallbackState> DeliverAsync(Bench bench, IReadOnlyList<PlannedEvent> events, IReadOnlyList<int[]> bodies)
    {
        await bench.ClearAsync();
        await Task.WhenAll(bodies.Select(body => bench.Intake.TakeAsync([.. body.Select((which, index) => bench.Event(events[which], index))], 1, false, default)));
        return await CallbackState.ReadAsync(bench.Database);
    }

    internal sealed class Bench(TestApplication application)
    {
        private readonly MetaKey _key = application.Services.GetRequiredService<MetaKeyRing>().Current;
        private readonly long _account = application.Services.GetRequiredService<InstallationKeys>().AccountId;

        public LedgerDatabase Database { get; } = application.Services.GetRequiredService<LedgerDatabase>();

        public CallbackIntake Intake { get; } = application.Services.GetRequiredService<CallbackIntake>();

        /// <summary>Grains that remember their row find it gone and begin anew.</summary>
        public async Task ClearAsync()
        {
            foreach (var table in (string[])["events", "run_events", "subscriptions", "profiles"])
            {
                await Database.WriteAsync(WriteKind.Event, session => session.ExecuteAsync($"delete from {table}"));
            }
        }

        public CallbackEvent Event(PlannedEvent planned, int index)
        {
            var email = $"p{planned.Person}@x.org";
            var date = new DateOnly(2026, 11, 24);
            var meta = planned.Token
                ? new MessageToken(7, planned.Run, date, planned.Person, MessageMeta.DefaultVariant).Format(_key)
                : new MessageMeta(email, _account, 7, date, planned.Run, MessageMeta.DefaultVariant, planned.Person).Format(_key);
            return new CallbackEvent(
                index, EventTypes.Group(EventTypes.Find(planned.Type)!.Value), planned.Type, email, meta, planned.Description, planned.Timestamp, false, null);
        }
    }

    /// <summary>One application of each engine for all cases.</summary>
    public sealed class Benches(PostgresServer server) : IAsyncDisposable
    {
        private readonly List<TestApplication> _open = [];

        internal async Task<IReadOnlyList<Bench>> GetAsync()
        {
            if (_open.Count == 0)
            {
                _open.Add(await StartAsync(StorageEngine.Sqlite));
                _open.Add(await StartAsync(StorageEngine.PostgreSql));
            }

            return [.. _open.Select(static application => new Bench(application))];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var application in _open)
            {
                await application.DisposeAsync();
            }
        }

        private Task<TestApplication> StartAsync(StorageEngine engine) => TestApplication.StartAsync(
            engine, server, configure: static builder => builder.Services.AddSingleton<IForbidBarrier>(new SignalBarrier()));
    }
}
