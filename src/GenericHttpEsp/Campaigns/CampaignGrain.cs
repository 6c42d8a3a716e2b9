namespace GenericHttpEsp.Campaigns;

/// <summary>
/// One campaign. Pause and stop write the state first and the partitions second; a start makes the partitions, and its state makes them known; resume and retry
/// write what is intended. After a crash in between, the sweeper's poke brings the partitions to what the state says. There may be two activations (a network
/// in two parts), so memory proves nothing: what an operator is told was written before, also when nothing changes, which fails where memory is old; and
/// partitions remember the revision that paused them.
/// </summary>
[GrainType("campaign")]
internal sealed class CampaignGrain : Grain, ICampaignGrain
{
    private readonly CampaignMemory _memory;
    private readonly CampaignRuns _runs;
    private readonly CampaignProgressStream _progress;
    private readonly CampaignCourse _course;
    private readonly CampaignStart _start;
    private readonly TimeProvider _time;

    public CampaignGrain(
        [PersistentState("campaign", "grains")] IPersistentState<CampaignState> stored,
        CampaignRuns runs,
        IHostApplicationLifetime host,
        TimeProvider time,
        ILogger<CampaignGrain> logger)
    {
        (_runs, _time) = (runs, time);
        _memory = new CampaignMemory(this, stored);
        _progress = new CampaignProgressStream(this, _memory, runs, host, time, logger);
        _course = new CampaignCourse(_memory, runs, _progress, time);
        _start = new CampaignStart(_memory, runs, _course, time);
    }

    private long Id => _memory.Id;

    private CampaignState State => _memory.State;

    private static CampaignReply Stale => CampaignReply.Refused(CampaignRefusal.Stale, "The campaign was changed since; read it again.");

    public Task<CampaignView?> GetAsync() => Task.FromResult(State.Status is null ? null : _memory.View());

    public Task<RunPlan?> GetPlanAsync(int run) => Task.FromResult(_memory.Plan(run));

    public async Task<CampaignReply> CreateAsync(string contract)
    {
        if (State.Status is null)
        {
            State.Draft(contract, _time.GetUtcNow());
            await _memory.SaveAsync();
        }

        return Reply();
    }

    public async Task<CampaignReply> ReplaceAsync(string contract, long? revision)
    {
        if (Refuse(CampaignAction.Edit) is { } refusal)
        {
            return refusal;
        }

        if (revision is { } seen && seen != State.Revision)
        {
            return Stale;
        }

        State.Take(contract);
        await _memory.SaveAsync();
        return Reply();
    }

    public async Task<CampaignReply> DeleteAsync()
    {
        if (Refuse(CampaignAction.Delete) is { } refusal)
        {
            return refusal;
        }

        var last = Reply();
        await _memory.ClearAsync();
        return last;
    }

    public Task<CampaignReply> StartAsync() => BeginAsync(CampaignAction.Start, _start.StartAsync);

    public Task<CampaignReply> RetryFailedAsync() => BeginAsync(CampaignAction.Retry, _start.RetryFailedAsync);

    public Task<CampaignReply> PauseAsync(string? reason) => ChangeAsync(CampaignAction.Pause, state => state.Pause(reason), PausePartitionsAsync);

    // One that is scheduled has its work row still, and is poked when its time has come.
    public Task<CampaignReply> ResumeAsync() => ChangeAsync(
        CampaignAction.Resume, static state => state.Resume(), () => State.Status == CampaignStatuses.Scheduled ? Task.CompletedTask : PokeAsync());

    public Task<CampaignReply> StopAsync() => ChangeAsync(CampaignAction.Stop, state => state.Stop(_time.GetUtcNow()), StopPartitionsAsync);

    public Task<CampaignReply> ActIfAsync(CampaignAction action, long revision) => State.Status is not null && revision != State.Revision ? Task.FromResult(Stale) : action switch
    {
        CampaignAction.Delete => DeleteAsync(),
        CampaignAction.Start => StartAsync(),
        CampaignAction.Pause => PauseAsync(reason: null),
        CampaignAction.Resume => ResumeAsync(),
        CampaignAction.Stop => StopAsync(),
        CampaignAction.Retry => RetryFailedAsync(),
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    public async Task HoldAsync(string reason)
    {
        // The database may have gone back under this activation: what it knows is from later.
        await _memory.ReadAsync();
        if (State.Status is CampaignStatuses.Scheduled or CampaignStatuses.Running or CampaignStatuses.Paused)
        {
            if ((State.Status, State.Reason) != (CampaignStatuses.Paused, reason))
            {
                // The backup of the ledger may be a moment younger than that of the states.
                State.Revision = Math.Max(State.Revision, await _runs.ControlAsync(Id));
                State.Pause(reason);
                await _memory.SaveAsync();
            }

            await PausePartitionsAsync();
        }
    }

    public async Task FailAsync(string reason)
    {
        if (State.Status == CampaignStatuses.Running)
        {
            State.Fail(reason, _time.GetUtcNow());
            await _memory.SaveAsync();
            await PausePartitionsAsync();
        }
    }

    public Task PokeAsync() => _course.GoOnAsync();

    public Task NoteEventsAsync()
    {
        _progress.NoteEvents();
        return Task.CompletedTask;
    }

    /// <summary>What has begun already does not begin again.</summary>
    private async Task<CampaignReply> BeginAsync(CampaignAction action, Func<Task<CampaignReply?>> begin) =>
        Refuse(action) ?? (IsDone(action) ? Reply() : await begin() ?? Reply());

    /// <summary>The state first, written also when nothing changes; then what follows from it.</summary>
    private async Task<CampaignReply> ChangeAsync(CampaignAction action, Action<CampaignState> change, Func<Task> follow)
    {
        if (Refuse(action) is { } refusal)
        {
            return refusal;
        }

        if (!IsDone(action))
        {
            change(State);
        }

        await _memory.SaveAsync();
        await follow();
        return Reply();
    }

    private async Task PausePartitionsAsync()
    {
        await _runs.PauseAsync(Id, State.Run, State.Revision);
        await _progress.PublishAsync();
    }

    private async Task StopPartitionsAsync()
    {
        await _runs.StopAsync(Id, State.Run);
        await _progress.PublishAsync();
    }

    private CampaignReply? Refuse(CampaignAction action) => CampaignRules.Refuse(action, Id, State.Status);

    private bool IsDone(CampaignAction action) => CampaignRules.Decide(action, State.Status) == CampaignDecision.Already;

    private CampaignReply Reply() => CampaignReply.Of(_memory.View());
}
