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
    }

    public void Dispose() => _draining.Dispose();

    /// <summary>Waits for the breaker and for the first batch's permit; takes more for the following ones while nobody has to wait.</summary>
    public async Task<List<SendPermit>> AcquireAsync(ProviderRuntime provider, List<PackedBatch> ready, int from, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _draining.Token);
        var desk = desks.Of(provider);
        var wasBlocked = false;
        while (desk.Policy.BlockedFor is var blocked && blocked > TimeSpan.Zero)
        {
            wasBlocked = true;
            await Task.Delay(blocked < BlockedStep ? blocked : BlockedStep, time, stop.Token);
        }

        // A free permit is granted even to a cancelled wait: without this look a stopping silo would go on claiming.
        stop.Token.ThrowIfCancellationRequested();
        var permits = new List<SendPermit> { await SendPermit.TakeAsync(desk, inFlight, ready[from].Count, stop.Token) };
        // After an outage one request goes ahead to see whether the ESP is back.
        while (!wasBlocked && from + permits.Count < ready.Count
            && await SendPermit.TryTakeAsync(desk, inFlight, ready[from + permits.Count].Count) is { } more)
        {
            permits.Add(more);
        }

        if (stop.IsCancellationRequested)
        {
            permits.ForEach(static permit => permit.Dispose());
            stop.Token.ThrowIfCancellationRequested();
        }

        return permits;
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

    public long BytesMax(ProviderRuntime provider) => desks.Of(provider).BytesMax(provider.Version);

    public void NoteBroken(long partitionId, Exception failure) => LogBroken(failure, partitionId);

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
                    released = await AttemptAsync(template, template.Bound.Assemble(records, claimed.Key), batch.AdmittedIds(claimed.Outcomes), claimed);
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
    private async Task<bool> AttemptAsync(RunTemplate template, AssembledRequest request, long[] ids, ClaimedBatch claimed)
    {
        var desk = desks.Of(template.Provider);
        var result = await desk.Policy.RunAsync(async token => await client.SendAsync(request, claimed.Gate, token), CancellationToken.None);
        FailPoints.Pass(FailPoints.AfterAnswer);
        // Without an answer the breaker opened between claim and gate: nothing was sent.
        var answer = result.Answer ?? new EspAnswer(EspAnswerKind.NotSent) { Detail = "the provider is left alone after failures", BodyReleased = true };
        var verdict = await UntilRecordedAsync(() => judge.JudgeAsync(template, ids, claimed, answer, request.ContentLength));
        await PauseAsync(template, verdict);
        await UntilRecordedAsync(async () =>
        {
            await ledger.RecordAsync(verdict.Report with { PartitionId = claimed.PartitionId }, CancellationToken.None);
            return true;
        });
        return answer.BodyReleased;
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
            });
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
