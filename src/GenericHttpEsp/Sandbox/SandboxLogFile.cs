using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace GenericHttpEsp.Sandbox;

/// <summary>
/// The log on disk: NDJSON, one writer, many entries a write. It is handed to the operating system, not to the platter: it outlives any
/// process, not a power cut.
/// </summary>
internal sealed class SandboxLogFile : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private readonly Task _writer;
    private readonly SandboxSignal _signal = new();
    private readonly ArrayBufferWriter<byte> _buffer = new(1 << 16);
    private List<SandboxEntry> _pending = [];
    private TaskCompletionSource _written = Fresh();
    private bool _stopped;

    private SandboxLogFile(FileStream file)
    {
        _file = file;
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Opens or continues a file. Gives back the last entry's sequence and the highest request number in it.</summary>
    public static async Task<(SandboxLogFile File, long Sequence, long Request)> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var (sequence, request) = (0L, 0L);
        await foreach (var entry in ReadAsync(path, 0, long.MaxValue, cancellationToken))
        {
            sequence = entry.Sequence;
            request = Math.Max(request, entry.Request);
        }

        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0, useAsync: true);
        file.Seek(0, SeekOrigin.End);
        if (file.Length > 0)
        {
            // A torn last line of a killed sandbox gets a line end of its own; an empty line is read over.
            await file.WriteAsync("\n"u8.ToArray(), cancellationToken);
        }

        return (new SandboxLogFile(file), sequence, request);
    }

    /// <summary>Called in the order of the sequence numbers. The task completes when the entry is in the file, and faults when it cannot be.</summary>
    public Task Append(SandboxEntry entry)
    {
        Task written;
        lock (_lock)
        {
            _pending.Add(entry);
            written = _written.Task;
        }

        _signal.Pulse();
        return written;
    }

    /// <summary>Entries after one sequence number and before another. A line that is no entry (torn by a kill) is read over.</summary>
    public static async IAsyncEnumerable<SandboxEntry> ReadAsync(
        string path, long after, long before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16, useAsync: true);
        using var reader = new StreamReader(file);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (TryParse(line) is { } entry && entry.Sequence > after)
            {
                if (entry.Sequence >= before)
                {
                    yield break;
                }

                yield return entry;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _stopped = true;
        }

        _signal.Pulse();
        await _writer;
        await _file.DisposeAsync();
    }

    private static SandboxEntry? TryParse(string line)
    {
        try
        {
            return line.Length == 0 ? null : JsonSerializer.Deserialize<SandboxEntry>(line, SandboxJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            var next = _signal.Next;
            if (Take() is not { } batch)
            {
                return;
            }

            if (batch.Entries.Count == 0)
            {
                await next;
                continue;
            }

            try
            {
                await WriteAsync(batch.Entries);
                batch.Written.SetResult();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Whoever waits for this batch must not answer; later batches try again.
                batch.Written.SetException(error);
            }
        }
    }

    /// <summary>What is pending; null when stopped and all is written.</summary>
    private (List<SandboxEntry> Entries, TaskCompletionSource Written)? Take()
    {
        lock (_lock)
        {
            if (_pending.Count == 0)
            {
                return _stopped ? null : ([], _written);
            }

            var taken = (_pending, _written);
            _pending = [];
            _written = Fresh();
            return taken;
        }
    }

    private async Task WriteAsync(List<SandboxEntry> entries)
    {
        _buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = SandboxJson.Options.Encoder, SkipValidation = true }))
        {
            foreach (var entry in entries)
            {
                json.Reset(_buffer);
                JsonSerializer.Serialize(json, entry, SandboxJson.Options);
                json.Flush();
                _buffer.Write("\n"u8);
            }
        }

        await _file.WriteAsync(_buffer.WrittenMemory);
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
