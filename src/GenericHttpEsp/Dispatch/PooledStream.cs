using System.Buffers;

namespace GenericHttpEsp.Dispatch;

/// <summary>Collects what is written to it in pooled pieces. Dispose gives them back, so only when nothing reads them any more.</summary>
internal sealed class PooledStream : Stream
{
    private const int PieceBytes = 64 * 1024;
    private readonly List<byte[]> _pieces = [];
    private int _filled = PieceBytes;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _pieces.Count == 0 ? 0 : ((_pieces.Count - 1) * (long)PieceBytes) + _filled;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> Segments() =>
        [.. _pieces.Select((piece, index) => (ReadOnlyMemory<byte>)piece.AsMemory(0, index == _pieces.Count - 1 ? _filled : PieceBytes))];

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_filled == PieceBytes)
            {
                _pieces.Add(ArrayPool<byte>.Shared.Rent(PieceBytes));
                _filled = 0;
            }

            var some = Math.Min(buffer.Length, PieceBytes - _filled);
            buffer[..some].CopyTo(_pieces[^1].AsSpan(_filled));
            _filled += some;
            buffer = buffer[some..];
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _pieces.ForEach(static piece => ArrayPool<byte>.Shared.Return(piece));
        _pieces.Clear();
        _filled = PieceBytes;
        base.Dispose(disposing);
    }
}
