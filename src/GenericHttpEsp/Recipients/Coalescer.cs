using System.Data.Common;
using System.Threading.Channels;
using GenericHttpEsp.Storage;

namespace GenericHttpEsp.Recipients;

/// <summary>
/// Gathers operations of many grains into sets for the database. While one set is under way the next one gathers, so a lone operation never waits for
/// company. Made at silo start: a loop that starts inside an activation would run on that grain's scheduler.
/// </summary>
internal sealed class Coalescer<TOperation, TResult> : IAsyncDisposable
{
    private const int SetMax = 1000;

    // Callers beyond this wait at the door.
    private const int PendingMax = 16_384;
    private readonly Channel<Pending> _pending = Channel.CreateBounded<Pending>(PendingMax);
    private readonly Func<TOperation, UInt128> _key;
    private readonly Func<IReadOnlyList<TOperation>, Task<TResult[]>> _run;
    private readonly Task[] _lanes;

    /// <param name="key">No two operations of one set have the same key.</param>
    /// <param name="run">Answers one result an operation, in order.</param>
    /// <param name="lanes">Sets under way at once.</param>
    public Coalescer(Func<TOperation, UInt128> key, Func<IReadOnlyList<TOperation>, Task<TResult[]>> run, int lanes)
    {
        (_key, _run) = (key, run);
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => Background.Run(RunLaneAsync))];
    }

    public async Task<TResult> RunAsync(TOperation operation)
    {
        // Completed on the pool: what the caller does next must not hold the lane.
        var completion = new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pending.Writer.WriteAsync(new Pending(operation, completion));
        return await completion.Task;
    }

    /// <summary>Runs what waits, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        await Task.WhenAll(_lanes);
    }

    private async Task RunLaneAsync()
    {
        Pending? carried = null;
        var keys = new HashSet<UInt128>();
        while (carried is not null || await _pending.Reader.WaitToReadAsync())
        {
            var set = new List<Pending>();
            keys.Clear();
            while (set.Count < SetMax && (carried is not null || _pending.Reader.TryRead(out carried)) && keys.Add(_key(carried!.Operation)))
            {
                set.Add(carried);
                carried = null;
            }

            if (set.Count > 0)
            {
                await RunSetAsync(set);
            }
        }
    }

    private async Task RunSetAsync(List<Pending> set)
    {
        try
        {
            var results = await _run([.. set.Select(static pending => pending.Operation)]);
            for (var i = 0; i < set.Count; i++)
            {
                set[i].Completion.SetResult(results[i]);
            }
        }
        catch (DbException refused) when (set.Count > 1 && !refused.IsTransient)
        {
            // One member's data is at fault: find out whose, and let the others live. A database that is away fails all of them at once, below.
            foreach (var single in set)
            {
                await RunSetAsync([single]);
            }
        }
        catch (Exception failure)
        {
            set.ForEach(pending => pending.Completion.SetException(failure));
        }
    }

    private sealed record Pending(TOperation Operation, TaskCompletionSource<TResult> Completion);
}
