using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using GenericHttpEsp.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GenericHttpEsp.Tests.Dispatch;

public sealed class ClusterBreakerTests(PostgresServer server)
{
    private const long Provider = 7;
    private const int Failures = 8;

    /// <summary>Three slots, one at each silo: what was on the wire beside the failure that filled the count cannot be taken back, and nothing more goes out.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Failures_OfThreeSilos_AreCountedTogether(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        Silo[] silos = [new(ledger), new(ledger), new(ledger)];

        for (var round = 0; round < 10; round++)
        {
            foreach (var silo in silos)
            {
                await silo.SendAsync(503);
            }
        }

        Assert.Equal(Failures + silos.Length - 1, silos.Sum(static silo => silo.Requests));
        Assert.All(silos, static silo => Assert.False(silo.Policy.IsClosed));
    }

    /// <summary>One looks in each pause; what it finds lets the others look at once, each with one request.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task OpenBreakers_LetOneProbeThroughInAPause_AndCloseOneByOne(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        Silo[] silos = [new(ledger), new(ledger)];
        await silos[0].FailAsync(Failures);
        await silos[1].FailAsync(1);
        Array.ForEach(silos, static silo => silo.Time.Advance(TimeSpan.FromSeconds(5)));

        Assert.True(await silos[0].Breaker.TryProbeAsync(CancellationToken.None));
        Assert.False(await silos[1].Breaker.TryProbeAsync(CancellationToken.None));
        await silos[0].SendAsync(200);

        Assert.True(silos[0].Policy.IsClosed);
        Assert.False(silos[1].Policy.IsClosed);
        silos[1].Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await silos[1].Breaker.TryProbeAsync(CancellationToken.None));
        await silos[1].SendAsync(200);
        Assert.True(silos[1].Policy.IsClosed);
        Assert.Equal(0, (await RowAsync(ledger)).Failures);
    }

    /// <summary>Each stream that waits asks every second; the row that all silos lock is asked twice for all of them.</summary>
    [Fact]
    public async Task ManyStreamsThatWait_AskForTheProbeTwiceASecond()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var asked = 0;
        ledger.Database.BeforeStatement = statement => asked += statement.Contains("(provider_id, probe_until)", StringComparison.Ordinal) ? 1 : 0;
        var (other, silo) = (new Silo(ledger), new Silo(ledger));
        Assert.True(await other.Breaker.TryProbeAsync(CancellationToken.None));

        for (var times = 1; times <= 4; times++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => silo.Breaker.TryProbeAsync(CancellationToken.None)));
            Assert.DoesNotContain(true, answers);
            Assert.Equal(1 + times, asked);
            silo.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    /// <summary>A silo with a bad way to the ESP is the first to know that its pause is over; one with a good way would hardly ever find the leave free.</summary>
    [Fact]
    public async Task SiloWhoseProbeFailed_LetsTheOthersProbeFirst()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var (sick, sound) = (new Silo(ledger), new Silo(ledger));
        await sick.FailAsync(Failures);
        await sound.Breaker.LookAsync(CancellationToken.None);
        Pass(TimeSpan.FromSeconds(5));
        Assert.True(await sick.Breaker.TryProbeAsync(CancellationToken.None));
        await sick.SendAsync(503);
        Pass(TimeSpan.FromSeconds(5));
        await LapseAsync(ledger);

        Assert.False(await sick.Breaker.TryProbeAsync(CancellationToken.None));
        // Nobody wants it for a second.
        Pass(TimeSpan.FromSeconds(1));
        Assert.True(await sick.Breaker.TryProbeAsync(CancellationToken.None));
        await sick.SendAsync(503);
        Pass(TimeSpan.FromSeconds(5));
        await LapseAsync(ledger);
        Assert.True(await sound.Breaker.TryProbeAsync(CancellationToken.None));
        await sound.SendAsync(200);
        Assert.True(sound.Policy.IsClosed);

        void Pass(TimeSpan by) => Array.ForEach([sick, sound], silo => silo.Time.Advance(by));
    }

    /// <summary>Another server took over whose clock is an hour behind: nobody may look for that hour, unless a leave that nobody can have given is none.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task LeaveToProbe_ThatEndsTooFarAhead_IsNone(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (one, other) = (new Silo(ledger), new Silo(ledger));
        Assert.True(await one.Breaker.TryProbeAsync(CancellationToken.None));
        await ledger.Database.WriteAsync(WriteKind.Event, static session => session.ExecuteAsync("update provider_desks set probe_until = probe_until + 3600000"));

        Assert.True(await other.Breaker.TryProbeAsync(CancellationToken.None));
        one.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.False(await one.Breaker.TryProbeAsync(CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task GoodAnswer_EndsTheRowOfAll(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (one, other) = (new Silo(ledger), new Silo(ledger));

        for (var round = 0; round < 5; round++)
        {
            await other.FailAsync(3);
            await one.FailAsync(4);
            await one.SendAsync(round % 2 == 0 ? 200 : 400);
            await other.SendAsync(200);
        }

        Assert.True(one.Policy.IsClosed && other.Policy.IsClosed);
        Assert.Equal(5 * 9, one.Requests + other.Requests);
    }

    /// <summary>A silo with a bad way to the ESP is alone with that, though the others have told nothing of their good answers.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SiloWithGoodAnswers_DoesNotFollowOneThatHasNone(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (sick, sound) = (new Silo(ledger), new Silo(ledger));
        await sick.FailAsync(Failures);
        await AgeAsync(ledger, TimeSpan.FromMinutes(1));
        await sound.SendAsync(200);

        await sound.Breaker.LookAsync(CancellationToken.None);
        Assert.True(sound.Policy.IsClosed);
        Assert.Equal(Failures, (await RowAsync(ledger)).Failures);
        await sound.SendAsync(503);

        Assert.True(sound.Policy.IsClosed);
        Assert.False(sick.Policy.IsClosed);
        Assert.Equal(1, (await RowAsync(ledger)).Failures);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task SiloWithoutNews_FollowsTheOthers(string engine)
    {
        await using var ledger = await TestLedger.CreateAsync(Engines.Parse(engine), server);
        var (one, other, fresh) = (new Silo(ledger), new Silo(ledger), new Silo(ledger));
        await other.SendAsync(200);
        other.Time.Advance(TimeSpan.FromMinutes(2));
        await one.FailAsync(Failures - 1);
        await fresh.Breaker.LookAsync(CancellationToken.None);
        Assert.True(fresh.Policy.IsClosed);
        await one.FailAsync(1);
        await AgeAsync(ledger, TimeSpan.FromMinutes(1));

        await fresh.Breaker.LookAsync(CancellationToken.None);
        await other.Breaker.LookAsync(CancellationToken.None);

        Assert.False(fresh.Policy.IsClosed);
        Assert.False(other.Policy.IsClosed);
    }

    /// <summary>A database that cannot be told holds nothing up; each silo counts for itself then, and tells later what it could not.</summary>
    [Fact]
    public async Task DatabaseAway_IsNoObstacle()
    {
        var isAway = true;
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        ledger.Database.BeforeStatement = statement => _ = isAway && statement.Contains("provider_desks", StringComparison.Ordinal) ? throw new TimeoutException() : 0;
        var (one, other) = (new Silo(ledger), new Silo(ledger));

        await one.FailAsync(Failures - 1);
        Assert.True(one.Policy.IsClosed);
        await one.FailAsync(1);
        Assert.False(one.Policy.IsClosed);
        await other.FailAsync(2);
        isAway = false;
        await other.FailAsync(1);

        Assert.Equal(3, (await RowAsync(ledger)).Failures);
    }

    /// <summary>What fails while the database is being told is told in one, and each has its slot until then.</summary>
    [Fact]
    public async Task ManyFailuresAtOnce_AreFewStatements()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var (told, written) = (0, new TaskCompletionSource());
        ledger.Database.BeforeStatement = statement => told += statement.StartsWith("insert into provider_desks", StringComparison.Ordinal) ? 1 : 0;
        var silo = new Silo(ledger);
        var writing = ledger.Database.WriteAsync(WriteKind.Outcome, async _ =>
        {
            await written.Task;
            return 0;
        });

        var notes = Enumerable.Range(0, 100).Select(_ => silo.Breaker.NoteAsync(Silo.Answer(503))).ToList();
        Assert.DoesNotContain(notes, static note => note.IsCompleted);
        written.SetResult();
        await Task.WhenAll([writing, .. notes]);

        Assert.Equal(100, (await RowAsync(ledger)).Failures);
        Assert.InRange(told, 1, 2);
    }

    [Fact]
    public async Task SiloThatIsAlone_TellsNothing()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var told = 0;
        ledger.Database.BeforeStatement = _ => told++;
        var silo = new Silo(ledger, alone: true);

        await silo.FailAsync(Failures - 1);
        await silo.SendAsync(200);
        await silo.FailAsync(Failures);
        await silo.Breaker.LookAsync(CancellationToken.None);

        Assert.False(silo.Policy.IsClosed);
        Assert.Equal(0, told);
    }

    /// <summary>While all is well nothing is told.</summary>
    [Fact]
    public async Task GoodAnswers_CostNoStatement()
    {
        await using var ledger = await TestLedger.CreateAsync(StorageEngine.Sqlite, server);
        var told = 0;
        ledger.Database.BeforeStatement = _ => told++;
        var silo = new Silo(ledger);

        for (var i = 0; i < 100; i++)
        {
            await silo.SendAsync(i % 2 == 0 ? 200 : 429);
        }

        Assert.Equal(0, told);
        await silo.FailAsync(1);
        Assert.Equal(1, told);
        await silo.SendAsync(200);
        await silo.SendAsync(200);
        Assert.Equal(2, told);
    }

    private static async Task<FailureRow> RowAsync(TestLedger ledger) =>
        (await new DeskStore(ledger.Database).FailingAsync(1, CancellationToken.None)).Find(static row => row.ProviderId == Provider);

    private static Task<int> AgeAsync(TestLedger ledger, TimeSpan by) => ledger.Database.WriteAsync(
        WriteKind.Event, session => session.ExecuteAsync("update provider_desks set failing_since = failing_since - @by", ("@by", (long)by.TotalMilliseconds)));

    /// <summary>The pause of the leave to probe is over, on the database's clock.</summary>
    private static Task<int> LapseAsync(TestLedger ledger) =>
        ledger.Database.WriteAsync(WriteKind.Event, static session => session.ExecuteAsync("update provider_desks set probe_until = 0"));

    /// <summary>One silo's breaker of the provider, its clock, and how many requests it let through.</summary>
    private sealed class Silo
    {
        public Silo(TestLedger ledger, bool alone = false)
        {
            var options = new DispatchOptions();
            Policy = new AttemptPolicy(options, Time);
            Breaker = new ClusterBreaker(Provider, Policy, new DeskStore(ledger.Database), options, alone, Time, NullLogger<ClusterBreaker>.Instance);
        }

        public FakeTimeProvider Time { get; } = new();

        public AttemptPolicy Policy { get; }

        public ClusterBreaker Breaker { get; }

        public int Requests { get; private set; }

        public static EspAnswer Answer(int status) => new(EspAnswerKind.Answered) { Status = status };

        public async Task FailAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                await SendAsync(503);
            }
        }

        public async Task SendAsync(int status)
        {
            if ((await Policy.RunAsync(_ => ValueTask.FromResult<EspAnswer?>(Answer(status)), CancellationToken.None)).Answer is { } answer)
            {
                Requests++;
                await Breaker.NoteAsync(answer);
            }
        }
    }
}
