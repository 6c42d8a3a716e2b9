namespace GenericHttpEsp.Sandbox;

/// <summary>Plans events for what was accepted and posts them, several bodies at once.</summary>
internal sealed class SandboxCallbacks : IAsyncDisposable
{
    private readonly SandboxSignal _changed = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SandboxOptions _options;
    private readonly TimeProvider _time;
    private readonly SandboxCallbackQueue _queue;
    private readonly SandboxPoster _poster;
    private readonly Task[] _senders;
    private long _ok;
    private long _failed;

    public SandboxCallbacks(SandboxOptions options, TimeProvider time, SandboxLog log)
    {
        _options = options;
        _time = time;
        _queue = new SandboxCallbackQueue(options.CallbackQueueMax, time, _changed);
        _poster = new SandboxPoster(options, time, log);
        _senders = [.. Enumerable.Range(0, options.CallbackSenders).Select(_ => Task.Run(SendAsync))];
    }

    /// <summary>A record without a message id gets no callback: nothing would tie it to the message.</summary>
    public void Plan(SandboxCallbackPlan plan, long request, SandboxRecords records, IReadOnlySet<int> refused)
    {
        if (plan.CallbackUrl is not { } url)
        {
            return;
        }

        var draws = new SandboxCallbackDraws(plan, _options.Seed, request);
        for (var record = 0; record < records.Addresses.Count; record++)
        {
            if (records.MessageIds[record] is not { } meta || refused.Contains(record))
            {
                continue;
            }

            foreach (var (which, type) in draws.Types(record, records.Addresses[record]).Index())
            {
                var one = new SandboxEvent(url, plan.EventsPerBody, plan.Shuffle, type, records.Addresses[record], meta, Now());
                var delay = draws.Delay(record, which);
                _queue.Add(one, delay);
                if (draws.IsTwice(record, which))
                {
                    _queue.Add(one, delay);
                }
            }
        }

        _queue.Added();
    }

    public void Queue(Uri url, string type, string email, string meta)
    {
        _queue.Add(new SandboxEvent(url, 1000, false, type, email, meta, Now()), TimeSpan.Zero);
        _queue.Added();
    }

    /// <summary>Waits until nothing is queued or under way: delivered, failed or dropped.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _changed.UntilAsync(() => _queue.Outstanding == 0, cancellationToken);

    public SandboxSummary AddTo(SandboxSummary summary) => summary with
    {
        CallbacksQueued = _queue.Queued,
        CallbacksDropped = _queue.Dropped,
        CallbacksWaiting = _queue.Outstanding,
        CallbacksOk = Interlocked.Read(ref _ok),
        CallbacksFailed = Interlocked.Read(ref _failed),
        CallbackRequests = _poster.Requests,
        CallbacksUnprocessed = _poster.Unprocessed,
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_senders);
        _poster.Dispose();
        _stop.Dispose();
    }

    private long Now() => _time.GetUtcNow().ToUnixTimeSeconds();

    private async Task SendAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var changed = _changed.Next;
                var (due, wait) = _queue.Take();
                if (due.Count > 0)
                {
                    await PostAsync(due);
                }
                else
                {
                    await WaitAsync(changed, wait);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What is still queued stays queued; the summary says how much.
        }
    }

    private async Task PostAsync(List<SandboxEvent> due)
    {
        if (await _poster.PostAsync(due, _stop.Token))
        {
            Interlocked.Add(ref _ok, due.Count);
        }
        else
        {
            Interlocked.Add(ref _failed, due.Count);
        }

        _queue.Done(due.Count);
    }

    private async Task WaitAsync(Task changed, TimeSpan wait)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await Task.WhenAny(changed, Task.Delay(wait, _time, either.Token));
        await either.CancelAsync();
        _stop.Token.ThrowIfCancellationRequested();
    }
}
