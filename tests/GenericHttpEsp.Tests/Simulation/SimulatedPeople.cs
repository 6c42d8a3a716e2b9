using System.Text.Json;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>What the ESP, recipients and operators do to the silos from outside, and what they were told.</summary>
internal sealed class SimulatedPeople(World world, SimulatedCluster cluster, SimulatedEsp esp, SimulationSetup setup, Node outside)
{
    private static readonly (string Type, string Group, EventType Event)[] Types =
    [
        ("delivered", "success", EventType.Delivered), ("hard_bounce", "failed", EventType.HardBounce), ("spam", "failed", EventType.Spam),
        ("unsubscribed", "failed", EventType.Unsubscribed), ("clicked", "clicked", EventType.Clicked),
    ];

    private readonly RecipientKey _keys = new(setup.Keys);
    private int _corrections;

    public List<long> Ids { get; } = [];

    /// <summary>Bodies that have no 200 yet.</summary>
    public int Pending { get; private set; }

    /// <summary>When somebody was told that no mail will come any more.</summary>
    public Dictionary<long, long> Left { get; } = [];

    /// <summary>Events answered with 200.</summary>
    public HashSet<(EventType Type, long Person)> Told { get; } = [];

    /// <summary>What operators did: issued, answered (null: never), and what.</summary>
    public List<OperatorAct> Acts { get; } = [];

    /// <summary>Corrects all profiles; returns when it is committed.</summary>
    public required Func<int, Task> CorrectProfiles { get; init; }

    /// <summary>Ticks, and the number of a correction that was made while the campaign was paused for certain.</summary>
    public List<(long At, int Number)> Corrections { get; } = [];

    public static string Email(long id) => $"p{id}@example.com";

    public static EmailAddress Address(long id) => EmailAddress.Parse(Email(id), out _)!;

    public void Begin(TimeSpan restless)
    {
        // Somebody looks at what arrives and finds something to correct, when most is still to be sent.
        var mistakes = world.Random.Next(2) == 0 ? world.Random.Next(1, 4) : 0;
        esp.Took = (person, meta) =>
        {
            if (mistakes > 0 && world.Chance(0.3))
            {
                mistakes--;
                world.After(world.Between(1, 300), Correct);
            }

            if (world.Chance(0.4))
            {
                world.After(world.Between(1, 8_000), () => Post(meta, person));
            }
        };
        for (var i = world.Random.Next(8); i > 0; i--)
        {
            var person = Ids[world.Random.Next(Ids.Count)];
            world.After(world.Between(0, restless.TotalMilliseconds), () => LeaveByHand(person));
        }

        for (var i = world.Random.Next(3) == 0 ? world.Random.Next(1, 6) : 0; i > 0; i--)
        {
            var action = world.Random.Next(5) switch { 0 => "stop", 1 or 2 => "resume", _ => "pause" };
            world.After(world.Between(0, restless.TotalMilliseconds), () => Operate(action));
        }
    }

    public void Operate(string action, Action<OperatorAct>? then = null)
    {
        if (cluster.AnySilo() is not { } silo)
        {
            return;
        }

        var act = new OperatorAct(action, world.Ticks);
        Acts.Add(act);
        world.Tell($"operator: {action} at {silo.Node.Name}");
        silo.Act(action, async _ =>
        {
            var reply = await (action switch
            {
                "pause" => silo.Campaign.PauseAsync(null),
                "resume" => silo.Campaign.ResumeAsync(),
                _ => silo.Campaign.StopAsync(),
            });
            var done = reply.Refusal == CampaignRefusal.None;
            world.After(world.Between(0.05, 20), () =>
            {
                act.Answered = done ? world.Ticks : null;
                world.Tell($"operator: {action} {(done ? "done" : "refused")}");
                (done ? then : null)?.Invoke(act);
            });
        });
    }

    /// <summary>An operator pauses, corrects what is wrong with the profiles, and resumes.</summary>
    public void Correct() => Operate("pause", CorrectAndResume);

    /// <summary>An operator looks up in the ESP's log what became of requests without an answer. Of those that are repeated nothing is certain yet.</summary>
    public void Resolve() => cluster.AnySilo()?.Act("resolve", async silo =>
    {
        foreach (var batch in (await silo.Unknown.PageAsync(SimulationSetup.Campaign, 0, 100, CancellationToken.None)).Where(static batch => !batch.WillRepeat))
        {
            await silo.Unknown.ResolveAsync(
                SimulationSetup.Campaign, [batch.BatchId], esp.HasTaken(batch.Key) ? RecordOutcome.Accepted : RecordOutcome.Failed, CancellationToken.None);
        }
    });

    /// <summary>A resume that may have been under way takes the certainty: then pages may have been read before the correction, and rightly.</summary>
    private void CorrectAndResume(OperatorAct pause) => outside.Start(async () =>
    {
        var number = ++_corrections;
        await CorrectProfiles(number);
        if (!Acts.Exists(other => other.Action == "resume" && (other.Answered is null || other.Answered > pause.Issued)))
        {
            world.Tell($"operator: correction {number} is made");
            Corrections.Add((world.Ticks, number));
        }

        Operate("resume");
    });

    private void LeaveByHand(long person) => cluster.AnySilo()?.Act($"unsubscribe of {person}", async silo =>
    {
        await silo.Changes.SetByHandAsync(_keys.Of(Address(person)), SubscriptionStatus.Unsubscribed, null, CancellationToken.None);
        world.After(world.Between(0.05, 20), () => NoteLeft(person));
    });

    private void NoteLeft(long person)
    {
        world.Tell($"{person} knows to be unsubscribed");
        Left.TryAdd(person, world.Ticks);
    }

    private void Post(string meta, long person)
    {
        var (type, group, kind) = Types[world.Random.Next(Types.Length)];
        var body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            version = "v2",
            events = new Dictionary<string, object> { [group] = new[] { new { type, email = Email(person), meta } } },
        });
        for (var copies = world.Random.Next(4) == 0 ? 3 : 1; copies > 0; copies--)
        {
            Pending++;
            world.After(world.Between(0.05, 50), () => Deliver(body, kind, person));
        }
    }

    /// <summary>Repeats until it is answered with 200, as ESPs do.</summary>
    private void Deliver(byte[] body, EventType kind, long person)
    {
        var isAnswered = false;
        world.After(TimeSpan.FromSeconds(8), () => Retry(again: true));
        cluster.AnySilo()?.Take(body, success => world.After(world.Between(0.05, 50), () =>
        {
            if (success && !isAnswered)
            {
                Pending--;
                Told.Add((kind, person));
                world.Tell($"callback: {kind} of {person} answered 200");
                if (kind is EventType.HardBounce or EventType.Spam or EventType.Unsubscribed)
                {
                    NoteLeft(person);
                }
            }

            Retry(again: !success);
        }));

        void Retry(bool again)
        {
            if (!isAnswered && again)
            {
                world.After(world.Between(100, 4000), () => Deliver(body, kind, person));
            }

            isAnswered = true;
        }
    }
}

/// <param name="Issued">Ticks.</param>
internal sealed record OperatorAct(string Action, long Issued)
{
    /// <summary>Ticks of the positive answer; null when there was none.</summary>
    public long? Answered { get; set; }
}
