using System.Runtime.CompilerServices;
using GenericHttpEsp.Callbacks;
using GenericHttpEsp.Campaigns;
using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Recipients;
using GenericHttpEsp.Stats;
using GenericHttpEsp.Storage;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GenericHttpEsp.Tests.Simulation;

/// <summary>One silo: the real stores, dispatch, intake and grains, on a simulated database, ESP and cluster.</summary>
internal sealed class SimulatedSilo : IDisposable
{
    private readonly ApplicationLifetime _host = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly SimulationSetup _setup;
    private readonly CampaignRow _campaign;
    private readonly SimulatedServer _server;
    private readonly IGrainFactory _grains;
    private readonly RecipientGrainStorage _recipients;
    private readonly ProfileStore _profiles;
    private readonly CampaignRuns _runs;
    private readonly PartitionWork _work;
    private readonly IBatchLedger _batches;
    private readonly LaneTenants _tenants = new();
    private readonly RunTemplateSource _templates;
    private readonly CampaignSweeper _sweeper;

    public SimulatedSilo(Node node, SimulationSetup setup, SimulatedServer server, SimulatedEsp esp, SimulatedCluster cluster, CampaignRow campaign)
    {
        (Node, _setup, _server, _campaign) = (node, setup, server, campaign);
        var time = node.Clock;
        var options = Options.Create(setup.Dispatch);
        var database = new SimulatedLedger(server, node, lanes: 2);
        var months = new MonthPartitions(database);
        var audience = new AudienceStore(database, months);
        var work = new CampaignWorkStore(database);
        OpenClaims = new OpenClaims(setup.Dispatch.SendWindow, time, clusterWide: setup.Silos > 1, async token => await work.AnyAsync(token), setup.Dispatch.OnTheWay);
        _grains = SimulatedFactory.Of(cluster, this);
        _profiles = new ProfileStore(database, time);
        _recipients = new RecipientGrainStorage(database, time);
        _templates = new RunTemplateSource(setup.Template);
        var partitions = new PartitionStore(database);
        var outcomes = new OutcomeStore(database, NullLogger<OutcomeStore>.Instance);
        Unknown = new UnknownStore(database);
        var claims = new ClaimStore(database, OpenClaims, options);
        _batches = setup.Break.Over(new BatchLedger(claims, new RepeatStore(claims), outcomes));
        _runs = new CampaignRuns(
            database, work, audience, partitions, outcomes, new RetryStore(database, months), null!, null!, setup.Break.Over(OpenClaims), _grains);
        _work = new PartitionWork(partitions, audience, _profiles, _templates, _grains, _tenants, _host, time, NullLogger<PartitionWork>.Instance);
        var name = new SiloName(node.Name);
        var desks = new ProviderDesks(
            database, new BudgetStore(database, name), new SlotStore(database, name, ConcurrencySlots.GoodFor + setup.Dispatch.AttemptMax), new DeskStore(database), options, time,
            NullLogger<ClusterBreaker>.Instance);
        Sender = new BatchSender(
            new EspClient(new EspDoor(esp, node, options), options, time),
            _batches,
            desks,
            new InFlight(options),
            new BatchJudge(new RefusalWatch(), desks, setup.Ring, _profiles, new Random(node.World.Random.Next())),
            new CampaignControl(work, _grains),
            time,
            NullLogger<BatchSender>.Instance);
        Changes = new AcknowledgedChanges(_grains, setup.Break.Over(OpenClaims), database);
        var retention = new Retention(Options.Create(new RetentionOptions()), time);
        var quarantine = new QuarantineStore(database, setup.Keys, retention, time);
        Intake = new CallbackIntake(
            database, setup.Keys, setup.Ring, new RecipientKey(setup.Keys), Changes, quarantine,
            new EventWriter(
                database, months, retention, quarantine, new EventNews(_grains, new ProviderRates(time)), time, NullLogger<EventWriter>.Instance));
        _sweeper = new CampaignSweeper(
            work, new RestoreHold(database, null!, _grains, NullLogger<RestoreHold>.Instance), _grains, time, NullLogger<CampaignSweeper>.Instance);
    }

    public Node Node { get; }

    public OpenClaims OpenClaims { get; }

    public BatchSender Sender { get; }

    public AcknowledgedChanges Changes { get; }

    public CallbackIntake Intake { get; }

    public UnknownStore Unknown { get; }

    public ICampaignGrain Campaign => _grains.GetGrain<ICampaignGrain>(SimulationSetup.Campaign);

    public Task SweepAsync() => Execute(_sweeper, CancellationToken.None);

    /// <summary>A request from outside; whoever made it hears nothing of a failure but that it failed.</summary>
    public void Act(string name, Func<SimulatedSilo, Task> work) => Node.Start(async () =>
    {
        try
        {
            await work(this);
        }
        catch (Exception failure)
        {
            Node.World.Tell($"{name} failed: {failure.Message}");
        }
    });

    /// <summary>A callback body from outside, as the route takes it; says whether it was answered with 200.</summary>
    public void Take(byte[] bytes, Action<bool> answered) => Node.Start(async () =>
    {
        try
        {
            var body = CallbackReader.Read(bytes, out var refusal) ?? throw new InvalidOperationException(refusal);
            var verdicts = await Intake.TakeAsync(body.Events, SimulationSetup.Provider, believe: false, CancellationToken.None);
            if (CallbackIntake.Answer(body.Events, verdicts).UnprocessedEvents is [{ Error: var error }, ..])
            {
                throw new InvalidOperationException(error);
            }

            answered(true);
        }
        catch (Exception failure)
        {
            Node.World.Tell($"{Node.Name} answers 503: {failure.Message}");
            answered(false);
        }
    });

    /// <summary>A new activation of a grain, with what it has stored.</summary>
    public async Task<Grain> CreateAsync(GrainId id)
    {
        switch (id.Type.ToString())
        {
            case "campaign":
                var state = new CampaignStorage(_campaign, Node, _server);
                await state.ReadStateAsync();
                return new CampaignGrain(
                    state, _runs, _host, Node.Clock, NullLogger<CampaignGrain>.Instance);
            case "partition":
                return new PartitionGrain(_work);
            case "dispatcher":
                return new DispatcherGrain(Sender, _templates, _batches, _tenants, Node.Clock);
            default:
                var subscription = new SubscriptionStorage(_recipients, id);
                await subscription.ReadStateAsync();
                return new RecipientGrain(subscription, _profiles, Node.Clock);
        }
    }

    /// <summary>Nothing: a process that is killed tidies up nothing, and its continuations never come.</summary>
    public void Dispose()
    {
    }

    // What the host puts around it starts on the thread pool.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ExecuteAsync")]
    private static extern Task Execute(CampaignSweeper sweeper, CancellationToken cancellationToken);

    internal sealed class RunTemplateSource(RunTemplate template) : IRunTemplates
    {
        public ValueTask<RunTemplate> GetAsync(long campaignId, int run, CancellationToken cancellationToken) => ValueTask.FromResult(template);
    }
}
