using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>One seed: a campaign of a few people through a time full of faults, then peace, then the verdict.</summary>
internal sealed class Simulation : IDisposable
{
    private static readonly TimeSpan Restless = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(12);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ghe-simulation-{Guid.NewGuid():n}.db");
    private readonly SimulationSetup _setup;
    private readonly SimulatedServer _server;
    private readonly Node _outside;
    private readonly SimulatedLedger _ledger;
    private int _killsLeft;
    private int _silencesLeft;
    private int _started;

    private Simulation(int seed, SimulationSetup common, DeliberateBreak deliberate, bool talks)
    {
        World = new World(seed) { IsTalking = talks };
        var random = World.Random;
        var retries = random.Next(2) == 0;
        _setup = common.With(random.Next(1, 4), random.Next(2, 6), random.Next(2) == 0 ? 512 : random.Next(1, 4), retries, deliberate);
        _server = new SimulatedServer(World, _path)
        {
            Trouble = random.Next(2) == 0 ? 0 : random.NextDouble() * 0.02,
            Rewrite = deliberate.Rewrite,
        };
        Esp = new SimulatedEsp(World)
        {
            HonoursKeys = retries && random.Next(4) > 0,
            Moods = random.Next(4) == 0 ? 0 : random.NextDouble() * 0.4,
            SizeMax = random.Next(5) == 0 ? 2 : int.MaxValue,
        };
        Cluster = new SimulatedCluster(World) { Splits = random.Next(2) == 0 ? 0 : 0.02 };
        _killsLeft = random.Next(5);
        _outside = World.AddNode("outside");
        // What is started on this thread and in no silo belongs to the outside.
        Background.Scheduler = _outside;
        _ledger = new SimulatedLedger(_server, _outside, lanes: 1, troubled: false);
        People = new SimulatedPeople(World, Cluster, Esp, _setup, _outside) { CorrectProfiles = CorrectAsync };
        Judge = new SimulationJudge(this, _ledger);
        World.Tell($"seed {seed}: {_setup.Silos} silos, batches of {_setup.Template.Bound.BatchSize}, {(retries ? "retry" : "hold")}, keys {(Esp.HonoursKeys ? "honoured" : "ignored")}, "
            + $"moods {Esp.Moods:0.00}, trouble {_server.Trouble:0.000}, splits {Cluster.Splits}, kills {_killsLeft}");
    }

    public World World { get; }

    public SimulatedEsp Esp { get; }

    public SimulatedCluster Cluster { get; }

    public SimulatedPeople People { get; }

    public SimulationJudge Judge { get; }

    public SimulationSetup Setup => _setup;

    public CampaignRow Campaign { get; } = new();

    private bool IsPeace => World.Ticks >= Restless.Ticks;

    private bool IsEnded => Campaign.Status is CampaignStatuses.Completed or CampaignStatuses.Stopped or CampaignStatuses.Failed;

    /// <summary>Runs on the calling thread, which must have no scheduler of its own.</summary>
    public static SimulationResult Run(int seed, SimulationSetup common, DeliberateBreak? deliberate = null, bool talks = false)
    {
        using var simulation = new Simulation(seed, common, deliberate ?? new DeliberateBreak(), talks);
        return simulation.Run();
    }

    public void Dispose()
    {
        foreach (var silo in Cluster.Alive.ToArray())
        {
            silo.Node.Kill();
        }

        _outside.Kill();
        foreach (var suffix in (string[])["", "-wal", "-shm"])
        {
            File.Delete(_path + suffix);
        }
    }

    private SimulationResult Run()
    {
        File.WriteAllBytes(_path, _setup.Database);
        var problems = new List<string>();
        Finish(_outside.Start(OpenAsync));
        for (var i = 0; i < _setup.Silos; i++)
        {
            StartSilo();
        }

        World.AfterStep = MayKill;
        People.Begin(Restless);
        World.After(Restless, MakePeace);
        Cluster.Working = MaySilence;
        PlanPauses();
        PlanMoves();
        if (!World.Run(IsOver))
        {
            problems.Add($"stuck: the campaign is {Campaign.Status} after {World.Steps} steps and {World.Seconds:0} s; database {_server}; {string.Join(", ", Cluster.Silos.Select(static silo => silo.Node))}");
        }

        World.AfterStep = null;
        Finish(_outside.Start(async () => problems.AddRange(await Judge.JudgeAsync())));
        problems.AddRange(World.Escapes.Select(static stack => $"escape: a continuation left the simulation: {stack}"));
        return new SimulationResult(World.Seed, problems, [.. World.Trace], World.Steps, World.Fingerprint, Campaign.Status, Judge.Summary);
    }

    private void Finish(Task work)
    {
        if (!World.Run(() => work.IsCompleted))
        {
            throw new InvalidOperationException("The simulation itself does not go on.");
        }

        work.GetAwaiter().GetResult();
    }

    private bool IsOver() => IsPeace && IsEnded && World.Ticks > Campaign.ChangedAt + Aftermath.Ticks && World.Ticks > Restless.Ticks + Aftermath.Ticks && People.Pending == 0;

    private void StartSilo()
    {
        var node = World.AddNode($"silo{++_started}");
        node.Clock.WallClockError = World.Chance(0.2) ? TimeSpan.FromSeconds(World.Random.Next(-3600, 3600)) : TimeSpan.Zero;
        SimulatedSilo? silo = null;
        node.Start(() =>
        {
            silo = new SimulatedSilo(node, _setup, _server, Esp, Cluster, Campaign);
            Cluster.Silos.Add(silo);
            return silo.SweepAsync();
        });
        node.OnEnd(() =>
        {
            Cluster.Silos.Remove(silo!);
            World.After(World.Between(50, 10_000), StartSilo);
        });
    }

    /// <summary>At any await whatever.</summary>
    private void MayKill()
    {
        if (_killsLeft > 0 && !IsPeace && World.Random.Next(1500) == 0 && Cluster.Alive.Any())
        {
            _killsLeft--;
            var alive = Cluster.Alive.ToArray();
            alive[World.Random.Next(alive.Length)].Node.Kill();
        }
    }

    private void PlanPauses()
    {
        for (var i = World.Random.Next(4); i > 0; i--)
        {
            if (World.Chance(0.5))
            {
                _silencesLeft++;
            }
            else
            {
                World.After(World.Between(0, 12_000), () => Silence(Cluster.AnySilo()?.Node));
            }
        }
    }

    private void PlanMoves()
    {
        for (var i = World.Random.Next(4); i > 0; i--)
        {
            World.After(World.Between(0, 12_000), Cluster.Move);
        }
    }

    /// <summary>In the middle of what a campaign decides.</summary>
    private void MaySilence(Activation activation)
    {
        if (_silencesLeft > 0 && !IsPeace && activation.Id.Type.ToString() == "campaign" && World.Chance(0.2))
        {
            _silencesLeft--;
            World.After(World.Between(0, 10), () => Silence(activation.Silo.Node));
        }
    }

    private void Silence(Node? node)
    {
        switch (World.Random.Next(6))
        {
            case 0:
            case 1:
                node?.Pause(World.Between(9_000, 20_000));
                break;
            case 2:
                node?.Pause(World.Between(100, 2000));
                break;
            default:
                // What it had read or rendered is old when it comes back: the campaign was halted meanwhile, and perhaps goes on.
                node?.Pause(World.Between(1500, 6000));
                World.After(World.Between(1, 500), World.Chance(0.5) ? People.Correct : () => People.Operate("pause"));
                break;
        }
    }

    private void MakePeace()
    {
        World.Tell("peace");
        (_server.Trouble, Esp.Moods, Cluster.Splits) = (0, 0, 0);
        Resume();
        World.After(Aftermath - TimeSpan.FromSeconds(1), () => People.Resolve());
    }

    /// <summary>An operator who looks in now and then, until the campaign has ended.</summary>
    private void Resume()
    {
        if (IsEnded)
        {
            return;
        }

        if (Campaign.Status == CampaignStatuses.Paused)
        {
            People.Operate("resume");
        }

        World.After(TimeSpan.FromSeconds(5), Resume);
    }

    private Task<int> CorrectAsync(int number) => _ledger.WriteAsync(
        WriteKind.Import, session => session.ExecuteAsync("update profiles set attributes = @attributes", ("@attributes", $$"""{"issue":{{number}}}""")));

    private async Task OpenAsync()
    {
        var partitions = World.Random.Next(1, 4);
        var keys = new RecipientKey(_setup.Keys);
        await _ledger.WriteAsync(WriteKind.Import, async session =>
        {
            var total = 0;
            for (var block = 0; block < partitions; block++)
            {
                var ids = Enumerable.Range(1, World.Random.Next(2, 12)).Select(i => (block * (long)AudienceBlocks.IdsPerBlock) + i).ToArray();
                foreach (var id in ids)
                {
                    People.Ids.Add(id);
                    await session.ExecuteAsync(
                        "insert into profiles (id, key, email, created_at, updated_at) values (@id, @key, @email, 0, 0)",
                        ("@id", id), ("@key", keys.Of(SimulatedPeople.Address(id))), ("@email", SimulatedPeople.Email(id)));
                }

                await session.ExecuteAsync(
                    "insert into audience (campaign_id, run, block, ids) values (@campaign, 1, @block, @ids)",
                    ("@campaign", SimulationSetup.Campaign), ("@block", (long)block), ("@ids", IdArray.Pack(ids)));
                await session.ExecuteAsync(
                    """
                    insert into partitions (campaign_id, run, first_block, last_block, last_id, cursor, epoch, state, starts, total, to_come)
                    values (@campaign, 1, @block, @block, @last, @cursor, 0, 'open', 0, @total, @total)
                    """,
                    ("@campaign", SimulationSetup.Campaign), ("@block", (long)block), ("@last", ids[^1]), ("@cursor", ids[0] - 1), ("@total", (long)ids.Length));
                total += ids.Length;
            }

            await session.ExecuteAsync(
                "insert into runs (campaign_id, run, run_date, started_at, audience) values (@campaign, 1, @date, 0, @total)",
                ("@campaign", SimulationSetup.Campaign), ("@date", (long)SimulationSetup.RunDate), ("@total", (long)total));
            return await EventStore.OpenRunAsync(session, SimulationSetup.Campaign, 1, SimulationSetup.RunDate, SimulationSetup.Provider);
        });
        if (World.Random.Next(4) == 0)
        {
            Esp.Refuses.Add(People.Ids[World.Random.Next(People.Ids.Count)]);
        }

        await new CampaignWorkStore(_ledger).AddAsync(SimulationSetup.Campaign, due: null, revision: 0, default);
        Campaign.Write(
            new CampaignState
            {
                Name = "news",
                Status = CampaignStatuses.Running,
                Contract = "{}",
                ProviderId = SimulationSetup.Provider,
                ProviderVersion = 1,
                Run = 1,
                RunDate = SimulationSetup.RunDate,
                StartedAt = World.Now,
            },
            World.Ticks);
    }
}

/// <summary>What came of one seed.</summary>
internal sealed record SimulationResult(
    int Seed, IReadOnlyList<string> Problems, IReadOnlyList<string> Trace, int Steps, long Fingerprint, string? Status, string Summary)
{
    public override string ToString() => $"seed {Seed}: {string.Join("; ", Problems)}\n{string.Join('\n', Trace.TakeLast(200))}";
}
