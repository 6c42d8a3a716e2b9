using System.Runtime.CompilerServices;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// The append-only log. Number, time and place in the file are given under one lock, so their orders agree. The newest entries stay in
/// memory; the file, if there is one, has them all.
/// </summary>
internal sealed class SandboxLog : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly SandboxSignal _signal;
    private readonly SandboxEntry?[] _ring;
    private readonly int _recordsMax;
    private readonly string? _path;
    private readonly SandboxLogFile? _file;
    private long _last;
    private long _first;
    private long _lastRequest;
    private int _recordsHeld;
    private long _open;

    private SandboxLog(SandboxOptions options, TimeProvider time, SandboxSignal signal, SandboxLogFile? file, long sequence, long request)
    {
        (_time, _signal, _file, _path) = (time, signal, file, options.LogPath);
        _ring = new SandboxEntry?[options.LogEntriesMax];
        _recordsMax = options.LogRecordsMax;
        (_last, _first, _lastRequest) = (sequence, sequence + 1, request);
    }

    /// <summary>Requests whose head is here and that were neither answered nor cut.</summary>
    public long Open => Interlocked.Read(ref _open);

    public long LastRequest => Interlocked.Read(ref _lastRequest);

    /// <summary>Entries no longer in memory; without a file they are gone.</summary>
    public long Forgotten => Interlocked.Read(ref _first) - 1;

    public static async Task<SandboxLog> OpenAsync(SandboxOptions options, TimeProvider time, SandboxSignal signal, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(options.LogPath))
        {
            return new SandboxLog(options, time, signal, null, 0, 0);
        }

        var (file, sequence, request) = await SandboxLogFile.OpenAsync(options.LogPath, cancellationToken);
        return new SandboxLog(options, time, signal, file, sequence, request);
    }

    /// <summary>Gives the request its number and logs its head.</summary>
    public long Head(string method, string path)
    {
        long request;
        lock (_lock)
        {
            request = ++_lastRequest;
            _open++;
            _ = Put(new SandboxEntry(SandboxEntryKind.Head, request) { Method = method, Path = path });
        }

        _signal.Pulse();
        return request;
    }

    /// <summary>The task completes when the entry is in the file; at once without one.</summary>
    public Task Append(SandboxEntry entry)
    {
        Task written;
        lock (_lock)
        {
            if (entry.Kind is SandboxEntryKind.Answered or SandboxEntryKind.Aborted)
            {
                _open--;
            }

            written = Put(entry);
        }

        _signal.Pulse();
        return written;
    }

    /// <summary>Entries in memory after a sequence number.</summary>
    public IReadOnlyList<SandboxEntry> After(long after, int limit)
    {
        lock (_lock)
        {
            var from = Math.Max(after + 1, _first);
            var entries = new List<SandboxEntry>();
            for (var at = from; at <= _last && entries.Count < limit; at++)
            {
                entries.Add(_ring[at % _ring.Length]!);
            }

            return entries;
        }
    }

    /// <summary>The same, beginning with what only the file still has.</summary>
    public async IAsyncEnumerable<SandboxEntry> ReadAsync(long after, int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = Interlocked.Read(ref _first);
        if (_path is not null && after + 1 < first)
        {
            await foreach (var entry in SandboxLogFile.ReadAsync(_path, after, first, cancellationToken))
            {
                if (limit-- <= 0)
                {
                    yield break;
                }

                yield return entry;
            }
        }

        foreach (var entry in After(Math.Max(after, first - 1), Math.Max(limit, 0)))
        {
            yield return entry;
        }
    }

    public async Task<SandboxEntry> WaitForAsync(Func<SandboxEntry, bool> wanted, CancellationToken cancellationToken)
    {
        for (var seen = 0L; ;)
        {
            var next = _signal.Next;
            foreach (var entry in After(seen, int.MaxValue))
            {
                seen = entry.Sequence;
                if (wanted(entry))
                {
                    return entry;
                }
            }

            await next.WaitAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task Put(SandboxEntry entry)
    {
        entry = entry with
        {
            Sequence = ++_last,
            MonotonicMicroseconds = _time.GetElapsedTime(0).Ticks / TimeSpan.TicksPerMicrosecond,
            At = _time.GetUtcNow(),
        };
        _recordsHeld += entry.Addresses?.Count ?? 0;
        while (_last - _first >= _ring.Length || (_recordsHeld > _recordsMax && _first < _last))
        {
            ref var oldest = ref _ring[_first % _ring.Length];
            _recordsHeld -= oldest!.Addresses?.Count ?? 0;
            oldest = null;
            _first++;
        }

        _ring[_last % _ring.Length] = entry;
        return _file?.Append(entry) ?? Task.CompletedTask;
    }
}
