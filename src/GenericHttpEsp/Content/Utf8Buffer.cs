using System.Buffers;

namespace GenericHttpEsp.Content;

/// <summary>Thrown inside a rendering when a record outgrows its buffer; <see cref="LiquidTemplate"/> and its callers turn it into a <see cref="RenderFailure"/>.</summary>
internal sealed class RenderLimitException(RenderFailureReason reason, string detail) : Exception(detail)
{
    public RenderFailureReason Reason { get; } = reason;
}

/// <summary>
/// Growable pooled bytes. Records are appended one after the other; <see cref="BeginRecord"/> sets the mark from which the record's
/// maximum counts, <see cref="Rewind"/> drops a record that failed. Not thread-safe.
/// </summary>
internal sealed class Utf8Buffer : IBufferWriter<byte>, IDisposable
{
    public const int DefaultRecordBytesMax = 1024 * 1024;
    private const int FirstBytes = 16 * 1024;

    private readonly int _recordBytesMax;
    private byte[] _bytes;
    private int _recordStart;

    public Utf8Buffer(int recordBytesMax = DefaultRecordBytesMax)
    {
        _recordBytesMax = recordBytesMax;
        _bytes = ArrayPool<byte>.Shared.Rent(FirstBytes);
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, Length);

    /// <summary>Valid until the next write, <see cref="Clear"/> or <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    /// <summary>Starts a record at the end; returns the mark for <see cref="Rewind"/>.</summary>
    public int BeginRecord() => _recordStart = Length;

    public void Rewind(int mark)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)mark, (uint)Length);
        Length = mark;
        _recordStart = Math.Min(_recordStart, mark);
    }

    public void Clear()
    {
        Length = 0;
        _recordStart = 0;
    }

    public void Write(ReadOnlySpan<byte> source)
    {
        Reserve(source.Length);
        source.CopyTo(_bytes.AsSpan(Length));
        Length += source.Length;
    }

    public void WriteByte(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    public void Advance(int count)
    {
        if (count < 0 || count > _bytes.Length - Length)
        {
            throw new ArgumentOutOfRangeException(nameof(count));
        }
        Length += count;
        ThrowIfTooLarge(0);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public void Dispose()
    {
        var bytes = _bytes;
        _bytes = [];
        Length = 0;
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Reserve(int count)
    {
        ThrowIfTooLarge(count);
        Grow(count);
    }

    private void ThrowIfTooLarge(int more)
    {
        if ((long)Length - _recordStart + more > _recordBytesMax)
        {
            throw new RenderLimitException(RenderFailureReason.TooLarge, $"The record is larger than {_recordBytesMax} bytes.");
        }
    }

    private void Grow(int count)
    {
        if (count <= _bytes.Length - Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(checked((int)Math.Max((long)Length + count, Math.Min(_bytes.Length * 2L, Array.MaxLength))));
        WrittenSpan.CopyTo(larger);
        var old = _bytes;
        _bytes = larger;
        if (old.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}
