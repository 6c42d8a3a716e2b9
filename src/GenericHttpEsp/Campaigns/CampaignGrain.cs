using GenericHttpEsp.Dispatch;
using GenericHttpEsp.Storage;
using Orleans.Streams;

namespace GenericHttpEsp.Campaigns;

/// <summary>
/// One campaign. Forbidding steps (pause, stop) write the state first and the partitions second, permitting ones the other way round: after a crash in
/// between, the sweeper's poke brings the partitions to what the state says. There may be two activations (a network in two parts), so memory proves nothing:
/// what an operator is told was written before, also when nothing changes, which fails where memory is old; and partitions remember the revision that paused them.
/// </summary>
[GrainType("campaign")]
internal sealed partial class CampaignGrain(
    [PersistentState("campaign", "grains")] IPersistentState<CampaignState> stored,
    CampaignRuns runs,
    IHostApplicationLifetime host,
    TimeProvider time,
    ILogger<CampaignGrain> logger)
    : Grain, ICampaignGrain
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(500);

    // Its queue may be at a silo that has just gone: whoever wants the campaign paused or stopped would wait as long as for any call, half a minute.
    private static readonly TimeSpan ProgressPatience = TimeSpan.FromSeconds(2);
    private IGrainTimer? _progress;
    private IGrainTimer? _news;

    private long Id => this.GetPrimaryKeyLong();

    private CampaignState State => stored.State;

    private static CampaignReply Stale => CampaignReply.Refused(CampaignRefusal.Stale, "The campaign was changed since; read it again.");

    public async Task<CampaignReply> CreateAsync(string contract)
    {
        if (State.Status is null)
        {
            (State.Status, State.CreatedAt) = (CampaignStatuses.Draft, time.GetUtcNow());
            await TakeAsync(contract);
        }

        return CampaignReply.Of(View());
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

        await TakeAsync(contract);
        return CampaignReply.Of(View());
    }

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

    public async Task<CampaignReply> DeleteAsync()
    {
        if (Refuse(CampaignAction.Delete) is { } refusal)
        {
            return refusal;
        }

        var last = View();
        await WriteAsync(stored.ClearStateAsync);
        DeactivateOnIdle();
        return CampaignReply.Of(last);
    }

    public Task<CampaignView?> GetAsync() => Task.FromResult(State.Status is null ? null : View());

    public async Task<CampaignReply> StartAsync()
    {
        if (Refuse(CampaignAction.Start) is { } refusal)
        {
            return refusal;
        }

        if (State.Status != CampaignStatuses.Draft)
        {
            return CampaignReply.Of(View());
        }

        var now = time.GetUtcNow();
        var (version, errors) = await runs.PinAsync(Id, State.Contract!, State.Run + 1, now);
        if (errors is not null)
        {
            return CampaignReply.Invalid(errors);
        }

        State.ProviderVersion = version;
        var schedule = CampaignSchedule.Of(State.Contract!);
        if (schedule > now)
        {
            await runs.AnnounceAsync(Id, schedule.Value, State.Revision + 1);
            State.Status = CampaignStatuses.Scheduled;
            await SaveAsync();
        }
        else
        {
            await BeginAsync(now);
        }

        return CampaignReply.Of(View());
    }

    public async Task<CampaignReply> PauseAsync(string? reason)
    {
        if (Refuse(CampaignAction.Pause) is { } refusal)
        {
            return refusal;
        }

        if (State.Status == CampaignStatuses.Running)
        {
            (State.Status, State.Reason) = (CampaignStatuses.Paused, reason);
        }

        await SaveAsync();
        await runs.PauseAsync(Id, State.Run, State.Revision);
        await PublishAsync();
        return CampaignReply.Of(View());
    }

    public async Task HoldAsync(string reason)
    {
        // The database may have gone back under this activation: what it knows is from later.
        await stored.ReadStateAsync();
        if (State.Status is CampaignStatuses.Scheduled or CampaignStatuses.Running or CampaignStatuses.Paused)
        {
            if ((State.Status, State.Reason) != (CampaignStatuses.Paused, reason))
            {
                // The backup of the ledger may be a moment younger than that of the states.
                State.Revision = Math.Max(State.Revision, await runs.ControlAsync(Id));
                (State.Status, State.Reason) = (CampaignStatuses.Paused, reason);
                await SaveAsync();
            }

            await runs.PauseAsync(Id, State.Run, State.Revision);
            await PublishAsync();
        }
    }

    public async Task<CampaignReply> ResumeAsync()
    {
        if (Refuse(CampaignAction.Resume) is { } refusal)
        {
            return refusal;
        }

        if (State.Status == CampaignStatuses.Paused)
        {
            (State.Status, State.Reason) = (State.StartedAt is null ? CampaignStatuses.Scheduled : CampaignStatuses.Running, null);
        }

        await SaveAsync();
        // One that is scheduled has its work row still, and is poked when its time has come.
        await (State.Status == CampaignStatuses.Scheduled ? Task.CompletedTask : PokeAsync());
        return CampaignReply.Of(View());
    }

    public async Task<CampaignReply> StopAsync()
    {
        if (Refuse(CampaignAction.Stop) is { } refusal)
        {
            return refusal;
        }

        if (State.Status != CampaignStatuses.Stopped)
        {
            (State.Status, State.EndedAt) = (CampaignStatuses.Stopped, time.GetUtcNow());
        }

        await SaveAsync();
        await runs.StopAsync(Id, State.Run);
        await PublishAsync();
        return CampaignReply.Of(View());
    }

    public async Task<CampaignReply> RetryFailedAsync()
    {
        if (Refuse(CampaignAction.Retry) is { } refusal)
        {
            return refusal;
        }

        if (State.Status == CampaignStatuses.Running)
        {
            return CampaignReply.Of(View());
        }

        var counts = await runs.CountsAsync(Id);
        if (counts.InFlight > 0 || counts.By[RecordOutcome.Failed] + counts.By[RecordOutcome.Refused] == 0)
        {
            return CampaignReply.Refused(
                CampaignRefusal.LifeCycle,
                counts.InFlight > 0 ? "Requests are still on the wire: try again in half a minute." : "Nobody failed or was refused.");
        }

        var now = time.GetUtcNow();
        var (version, errors) = await runs.PinAsync(Id, State.Contract!, State.Run + 1, now);
        if (errors is not null)
        {
            return CampaignReply.Invalid(errors);
        }

        await runs.AnnounceAsync(Id, due: null, State.Revision + 1);
        if (await runs.IsOlderThanRetentionAsync(Id))
        {
            await AbandonAsync();
            return CampaignReply.Refused(
                CampaignRefusal.LifeCycle, "The campaign is older than retention: how many failed is known, but not who. Make a new one.");
        }

        // The intent first: from here on every poke completes it, however often the process ends.
        (State.Status, State.Reason, State.EndedAt, State.RetryPending) = (CampaignStatuses.Running, null, null, true);
        (State.Run, State.ProviderVersion, State.StartedAt, State.RunDate) = (State.Run + 1, version, now, CampaignRuns.DateOf(now));
        State.PublicUrl = runs.PublicUrl;
        await SaveAsync();
        await ContinueAsync();
        return CampaignReply.Of(View());
    }

    public async Task FailAsync(string reason)
    {
        if (State.Status == CampaignStatuses.Running)
        {
            (State.Status, State.Reason, State.EndedAt) = (CampaignStatuses.Failed, reason, time.GetUtcNow());
            await SaveAsync();
            await runs.PauseAsync(Id, State.Run, State.Revision);
            await PublishAsync();
        }
    }

    public async Task PokeAsync()
    {
        // Of two activations the one with the older memory may have been left over: it would halt the other's run, or forget its work, for ever.
        await stored.ReadStateAsync();
        switch (State.Status)
        {
            case CampaignStatuses.Scheduled:
                await BeginAsync(time.GetUtcNow());
                break;
            case CampaignStatuses.Running:
                await ContinueAsync();
                break;
            case CampaignStatuses.Paused:
                await runs.PauseAsync(Id, State.Run, State.Revision);
                await runs.SettleAsync(Id);
                await runs.KeepPinnedAsync(Id, State.ProviderId, State.ProviderVersion);
                break;
            case CampaignStatuses.Stopped:
                await runs.StopAsync(Id, State.Run);
                await ForgetWhenSettledAsync();
                break;
            case CampaignStatuses.Failed:
                await runs.PauseAsync(Id, State.Run, State.Revision);
                await ForgetWhenSettledAsync();
                break;
            default:
                // Deleted, completed, or a start that crashed before anybody was told that it happened.
                await AbandonAsync();
                break;
        }
    }

    public Task NoteEventsAsync()
    {
        // The timer of a running campaign tells them anyway; afterwards one moment's events are told together.
        if (State.Status is not null && _progress is null)
        {
            _news ??= this.RegisterGrainTimer(PublishNewsAsync, new GrainTimerCreationOptions(ProgressEvery, Timeout.InfiniteTimeSpan));
        }

        return Task.CompletedTask;
    }

    public Task<RunPlan?> GetPlanAsync(int run) => Task.FromResult(
        State.Status is null || run != State.Run || State.StartedAt is not { } startedAt
            ? null
            : new RunPlan(Id, run, State.RunDate, startedAt, State.ProviderId, State.ProviderVersion, State.Contract!, State.PublicUrl));

    private async Task BeginAsync(DateTimeOffset now)
    {
        await runs.AnnounceAsync(Id, due: null, State.Revision + 1);
        FailPoints.Pass(FailPoints.StartAnnounced);
        var began = await runs.OpenAsync(Id, State.Run + 1, now, State.Contract!);
        FailPoints.Pass(FailPoints.StartOpened);
        (State.Run, State.PublicUrl) = (State.Run + 1, runs.PublicUrl);
        (State.Status, State.StartedAt, State.RunDate) = (CampaignStatuses.Running, began, CampaignRuns.DateOf(began));
        await SaveAsync();
        FailPoints.Pass(FailPoints.StartSaved);
        await ContinueAsync();
    }

    private async Task ContinueAsync()
    {
        _progress ??= this.RegisterGrainTimer(PublishAsync, new GrainTimerCreationOptions(ProgressEvery, ProgressEvery) { KeepAlive = true });
        if (State.RetryPending)
        {
            var began = await runs.RetryAsync(Id, State.Run, State.StartedAt!.Value);
            (State.RetryPending, State.StartedAt, State.RunDate) = (false, began, CampaignRuns.DateOf(began));
            await SaveAsync();
        }

        if (await runs.ContinueAsync(Id, State.Run, State.Revision))
        {
            (State.Status, State.EndedAt) = (CampaignStatuses.Completed, time.GetUtcNow());
            await SaveAsync();
            FailPoints.Pass(FailPoints.EndSaved);
            await EndAsync();
            await PublishAsync();
            return;
        }

        await runs.KeepPinnedAsync(Id, State.ProviderId, State.ProviderVersion);
    }

    private async Task ForgetWhenSettledAsync()
    {
        if (await runs.SettleAsync(Id))
        {
            await EndAsync();
        }
    }

    /// <summary>
    /// What was announced will not be. The state moves past the announcement first: another activation that has made it fails to store, or has stored already
    /// and this one fails.
    /// </summary>
    private async Task AbandonAsync()
    {
        if (State.Status is not null && await runs.IsAnnouncedLaterAsync(Id, State.Revision))
        {
            await SaveAsync();
        }

        await EndAsync();
    }

    private async Task EndAsync()
    {
        await runs.UnpinAsync(Id, State.ProviderId);
        FailPoints.Pass(FailPoints.EndUnpinned);
        // Ids of deleted ones are not used again.
        await runs.ForgetAsync(Id, State.Status is null ? long.MaxValue : State.Revision);
    }

    private async Task PublishAsync()
    {
        if (host.ApplicationStopping.IsCancellationRequested)
        {
            // The grains of the stream end with the silo, and Orleans logs each attempt as a failure.
            return;
        }

        var stats = CampaignStatsRules.Of(State.Status!, State.Reason, await runs.CountsAsync(Id));
        try
        {
            await this.GetStreamProvider("progress").GetStream<CampaignProgress>("campaigns", Id).OnNextAsync(new CampaignProgress(Id, stats))
                .WaitAsync(ProgressPatience, time);
        }
        catch (Exception failure)
        {
            // Progress is harmless to lose; the campaign must not notice a full queue.
            LogProgressLost(failure);
        }

        if (State.Status != CampaignStatuses.Running)
        {
            _progress?.Dispose();
            _progress = null;
        }
    }

    private Task PublishNewsAsync()
    {
        _news?.Dispose();
        _news = null;
        return PublishAsync();
    }

    private CampaignReply? Refuse(CampaignAction action)
    {
        if (State.Status is null)
        {
            return CampaignReply.Refused(CampaignRefusal.NotFound, $"There is no campaign {Id}.");
        }

        return CampaignRules.Decide(action, State.Status) == CampaignDecision.Refuse
            ? CampaignReply.Refused(CampaignRefusal.LifeCycle, CampaignRules.Explain(action, State.Status))
            : null;
    }

    private Task TakeAsync(string contract)
    {
        State.Contract = contract;
        (State.Name, State.ProviderId) = CampaignSchedule.NameAndProvider(contract);
        return SaveAsync();
    }

    private Task SaveAsync()
    {
        State.Revision++;
        return WriteAsync(stored.WriteStateAsync);
    }

    private async Task WriteAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch
        {
            // Memory is ahead of storage: the next call reads what is stored.
            DeactivateOnIdle();
            throw;
        }
    }

    private CampaignView View() => new()
    {
        Id = Id,
        Status = State.Status!,
        Contract = State.Contract!,
        Reason = State.Reason,
        Run = State.Run,
        Revision = State.Revision,
        CreatedAt = State.CreatedAt,
        StartedAt = State.StartedAt,
        EndedAt = State.EndedAt,
        ProviderId = State.ProviderId,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "A progress message was lost")]
    private partial void LogProgressLost(Exception failure);
}
