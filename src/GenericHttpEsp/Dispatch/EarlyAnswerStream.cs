namespace GenericHttpEsp.Dispatch;

/// <summary>
/// A connection that listens while it sends. SocketsHttpHandler reads an answer only after the whole request is written, so a 413 followed by a reset, or by
/// a server that reads no further, would be lost as a broken pipe or a time-out.
/// </summary>
internal sealed class EarlyAnswerStream(Stream inner, TimeProvider time) : Stream
{
    private const int BufferBytes = 16 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopWriting = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private Task _ahead = Task.CompletedTask;
    private Exception? _failure;
    private int _start;
    private int _end;
    private bool _ended;
    private bool _writing;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await ListenAsync(more: false).WaitAsync(cancellationToken);
        lock (_lock)
        {
            var count = Math.Min(buffer.Length, _end - _start);
            if (count == 0 && _failure is not null)
            {
                throw new IOException(_failure.Message, _failure);
            }

            _buffer.AsMemory(_start, count).CopyTo(buffer);
            _start += count;
            return count;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _ = ListenAsync(more: false);
        if (BeginWriting())
        {
            throw new EarlyAnswerException(await AnswerAsync() ?? new EarlyAnswer(0, null, default));
        }

        try
        {
            // Only our own token: the handler cancels by closing the connection, and what is cancelled here has stopped reading the caller's buffer.
            await inner.WriteAsync(buffer, _stopWriting.Token);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            if (await AnswerAsync() is { } answer)
            {
                throw new EarlyAnswerException(answer);
            }

            throw;
        }
        finally
        {
            lock (_lock)
            {
                _writing = false;
            }
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>True when the refusal is here already, so nothing is to be written.</summary>
    private bool BeginWriting()
    {
        lock (_lock)
        {
            _writing = !IsRefused();
            return !_writing;
        }
    }

    /// <summary>One read from the connection into our buffer, unless bytes wait there (or <paramref name="more"/> are wanted).</summary>
    private Task ListenAsync(bool more)
    {
        lock (_lock)
        {
            if (_ahead.IsCompleted && !_ended && _failure is null && (more || _start == _end))
            {
                if (_start == _end)
                {
                    _start = _end = 0;
                }

                _ahead = ReadAheadAsync();
            }

            return _ahead;
        }
    }

    private async Task ReadAheadAsync()
    {
        try
        {
            var count = await inner.ReadAsync(_buffer.AsMemory(_end));
            lock (_lock)
            {
                _end += count;
                _ended = count == 0;
                if (_writing && IsRefused())
                {
                    _stopWriting.Cancel();
                }
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Told to whoever reads next.
            lock (_lock)
            {
                _failure = failure;
            }
        }
    }

    // 1xx and 2xx do not stop us: a server may begin a 200 while it still reads.
    private bool IsRefused() => EarlyAnswer.StatusOf(_buffer.AsSpan(_start, _end - _start)) >= 300;

    private async Task<EarlyAnswer?> AnswerAsync()
    {
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) is var waited && waited < Patience && _end < BufferBytes
            && !EarlyAnswer.IsComplete(_buffer.AsSpan(_start, _end - _start)))
        {
            var listening = ListenAsync(more: true);
            try
            {
                await listening.WaitAsync(Patience - waited, time);
            }
            catch (TimeoutException)
            {
                break;
            }

            if (_ended || _failure is not null)
            {
                break;
            }
        }

        lock (_lock)
        {
            return EarlyAnswer.From(_buffer.AsMemory(_start, _end - _start));
        }
    }
}
