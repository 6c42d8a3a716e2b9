using System.Collections.Concurrent;
using System.Data.Common;
using GenericHttpEsp.Providers;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Dispatch;

/// <summary>
/// Sends claimed batches and writes their outcomes; one for each silo. Stopping it first lets no further claim begin, then waits until everything on the
/// wire has its outcome in the ledger: an orderly end leaves nothing unknown.
/// </summary>
internal sealed partial class BatchSender(
    EspClient client,
    IBatchLedger ledger,
    ProviderDesks desks,
    InFlight inFlight,
    BatchJudge judge,
    ICampaignControl control,
    TimeProvider time,
    ILogger<BatchSender> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan BlockedStep = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(10);
    // A campaign that does not answer must not keep an outcome from the ledger until its row is taken for unknown.
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RecordWaitMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RecordWaitMax = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _draining = new();
    private readonly ConcurrentDictionary<Task, bool> _onTheWire = [];

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await Background.CancelAsync(_draining);
        while (!_onTheWire.IsEmpty || inFlight.Requests > 0)
        {
            await Task.WhenAll(_onTheWire.Keys).WaitAsync(cancellationToken);
            // A permit is held while its claim commits: what comes of it is on the wire next.
            await Task.Delay(DrainStep, time, cancellationToken);
        }

        await desks.CloseAsync().WaitAsync(cancellationToken);
    }

    public void Dispose() => _draining.Dispose();

    /// <summary>Waits for the breaker, then stands in the provider's line for all batches that are ready.</summary>
    public async Task<PermitLine> QueueAsync(RunTemplate template, List<PackedBatch> ready, int from, CancellationToken cancellationToken)
    {
        var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _draining.Token);
        try
        {
            var desk = desks.Of(template.Provider);
            var probes = await WaitForBreakerAsync(desk, ending.Token);
            // After an outage one request goes ahead to see whether the ESP is back.
            var batches = ready.Skip(from).Take(probes ? 1 : int.MaxValue);
            return new PermitLine(desk, inFlight, template.CampaignId, batches.Select(static batch => batch.Count), probes, ending);
        }
        catch
        {
            ending.Dispose();
            throw;
        }
    }

    /// <summary>Sends a claimed batch on the thread pool. Takes over the permit, the gate and the batch's buffers.</summary>
    public void Send(RunTemplate template, PackedBatch batch, ClaimedBatch claimed, SendPermit permit) =>
        Track(() => SendAsync(template, batch, claimed, permit));

    /// <summary>After an ambiguous commit: closes the claim's row as not sent as soon as the database can tell whether it is there.</summary>
    public void CloseUnsent(long partitionId, string key) =>
        Track(() => UntilRecordedAsync(async () =>
        {
            await ledger.CloseUnsentAsync(partitionId, key, CancellationToken.None);
            return true;
        }));

    public ValueTask<long> BytesMaxAsync(ProviderRuntime provider, CancellationToken cancellationToken) =>
        desks.Of(provider).BytesMaxAsync(provider.Version, cancellationToken);

    public void NoteBroken(long partitionId, Exception failure) => LogBroken(failure, partitionId);

    /// <summary>True when this silo goes ahead as the probe.</summary>
    private async Task<bool> WaitForBreakerAsync(ProviderDesk desk, CancellationToken cancellationToken)
    {
        while (!desk.Policy.IsClosed)
        {
            var blocked = desk.Policy.BlockedFor;
            if (blocked <= TimeSpan.Zero && await desk.Breaker.TryProbeAsync(cancellationToken))
            {
                return true;
            }

            await Task.Delay(blocked > TimeSpan.Zero && blocked < BlockedStep ? blocked : BlockedStep, time, cancellationToken);
        }

        return false;
    }

    private void Track(Func<Task> work)
    {
        // Registered before it starts, so that it cannot be over before it is known.
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = Background.Run(async () =>
        {
            await start.Task;
            await work();
        });
        _onTheWire[task] = true;
        task.ContinueWith(
            done => _onTheWire.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Ignore();
        start.SetResult();
    }

    private async Task SendAsync(RunTemplate template, PackedBatch batch, ClaimedBatch claimed, SendPermit permit)
    {
        var released = true;
        using (permit)
        using (claimed.Gate)
        {
            try
            {
                var records = batch.Admitted(claimed.Outcomes);
                if (records.Count > 0)
                {
                    released = await AttemptAsync(template, template.Bound.Assemble(records, claimed.Key), batch.AdmittedIds(claimed.Outcomes), claimed, permit);
                }
            }
            catch (Exception failure)
            {
                // A bug: the row stays claimed and becomes unknown at its deadline, which is the truth.
                LogSendFailed(failure, claimed.Id);
                released = false;
            }
        }

        if (released)
        {
            batch.Release();
        }
    }

    /// <summary>Request and outcome. Answers whether the buffers are free again.</summary>
    private async Task<bool> AttemptAsync(RunTemplate template, AssembledRequest request, long[] ids, ClaimedBatch claimed, SendPermit permit)
    {
        var (answer, told) = await AnswerAsync(desks.Of(template.Provider), request, claimed, permit);
        FailPoints.Pass(FailPoints.AfterAnswer);
        var verdict = await UntilRecordedAsync(() => judge.JudgeAsync(template, ids, claimed, answer, request.ContentLength));
        await PauseAsync(template, verdict);
        await UntilRecordedAsync(async () =>
        {
            await ledger.RecordAsync(verdict.Report with { PartitionId = claimed.PartitionId, RunDate = template.RunDate }, CancellationToken.None);
            return true;
        });
        // Beside the outcome, and before the slot is free: a failure that fills the cluster's count lets nothing more begin here.
        await told;
        return answer.BodyReleased;
    }

    private async Task<(EspAnswer Answer, Task Told)> AnswerAsync(ProviderDesk desk, AssembledRequest request, ClaimedBatch claimed, SendPermit permit)
    {
        if (!permit.IsGood && claimed.Gate.TryClose())
        {
            // Held up since its turn for longer than the slot was leased: others may have it by now. From here on the send window bounds the delay.
            return (new EspAnswer(EspAnswerKind.GateMissed) { Detail = "the concurrency slot's lease had lapsed", BodyReleased = true }, Task.CompletedTask);
        }

        var result = await desk.Policy.RunAsync(async token => await client.SendAsync(request, claimed.Gate, token), CancellationToken.None);
        // Without an answer the breaker opened between claim and gate: nothing was sent.
        return result.Answer is { } answer
            ? (answer, desk.Breaker.NoteAsync(answer))
            : (new EspAnswer(EspAnswerKind.NotSent) { Detail = "the provider is left alone after failures", BodyReleased = true }, Task.CompletedTask);
    }

    // A refused connection (a standby, a setting) is an InvalidOperationException; so are the two that say that we are at our own end.
    private static bool IsPassing(Exception failure) =>
        failure is DbException or CommitUnknownException or TimeoutException
        || (failure is InvalidOperationException and not (ObjectDisposedException or System.Threading.Channels.ChannelClosedException));

    /// <summary>First the pause, then the outcome: what goes back to waiting must not go out again at once.</summary>
    private async Task PauseAsync(RunTemplate template, Verdict verdict)
    {
        try
        {
            await (verdict.Pause switch
            {
                PauseScope.Campaign => control.PauseCampaignAsync(template.CampaignId, verdict.Reason),
                PauseScope.Provider => control.PauseProviderAsync(template.Provider.Id, verdict.Reason),
                _ => Task.CompletedTask,
            }).WaitAsync(PauseMax, time);
        }
        catch (Exception failure)
        {
            // The next request will meet the same answer and try again.
            LogNotPaused(failure, template.CampaignId);
        }
    }

    /// <summary>The truth about a request that was made must get into the ledger: tries until it is there. Should the process end first, the row becomes unknown.</summary>
    private async Task<T> UntilRecordedAsync<T>(Func<Task<T>> record)
    {
        for (var wait = RecordWaitMin; ; wait = wait * 2 < RecordWaitMax ? wait * 2 : RecordWaitMax)
        {
            try
            {
                return await record();
            }
            catch (Exception failure) when (IsPassing(failure))
            {
                LogNotRecorded(failure);
                await Task.Delay(wait, time);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Batches of partition {PartitionId} cannot be claimed now")]
    private partial void LogBroken(Exception failure, long partitionId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sending batch {BatchId} failed in our own code; its outcome will be unknown")]
    private partial void LogSendFailed(Exception failure, long batchId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {CampaignId} should pause and could not")]
    private partial void LogNotPaused(Exception failure, long campaignId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An outcome cannot be written now; trying again")]
    private partial void LogNotRecorded(Exception failure);
}
