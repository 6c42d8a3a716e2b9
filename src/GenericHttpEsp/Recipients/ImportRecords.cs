using System.Buffers;

namespace GenericHttpEsp.Recipients;

/// <summary>A piece of an import's body: one line, or one CSV record (which may hold line breaks in quotes).</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Bytes">Without its line break. Good until the next one is asked for.</param>
/// <param name="Problem">Why it cannot be read; its bytes are empty then.</param>
internal readonly record struct ImportRecord(long Line, ReadOnlyMemory<byte> Bytes, string? Problem);

/// <summary>
/// Cuts a stream of any length into records, in one buffer of fixed size. A record that is too long is skipped up to the end of its line; a quote that is
/// never closed costs its own line and not the rest of the file, which is what a CSV library would take for one field.
/// </summary>
internal sealed class ImportRecords(Stream body, IRecordEnds ends, int bytesMax) : IDisposable
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(bytesMax * 2);
    private int _start;
    private int _end;
    private long _line = 1;
    private bool _began;
    private bool _ended;

    private string TooLong => $"Longer than {bytesMax / 1024} KB.";

    /// <summary>The next record, or null at the end.</summary>
    public async ValueTask<ImportRecord?> NextAsync(CancellationToken cancellationToken)
    {
        if (!_began)
        {
            _began = true;
            while (_end < ByteOrderMark.Length && await FillAsync(cancellationToken))
            {
                // Enough to see whether it begins with a mark.
            }

            _start = _buffer.AsSpan(0, _end).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        }

        ends.Begin();
        while (true)
        {
            var end = ends.Find(_buffer.AsSpan(_start, _end - _start));
            if (end >= 0)
            {
                var record = Take(end, end + 1);
                return end > bytesMax ? new ImportRecord(record.Line, default, TooLong) : record;
            }

            if (_end - _start > bytesMax)
            {
                return await GiveUpLineAsync(ends.IsOpen ? $"{TooLong} Is a quote never closed?" : TooLong, cancellationToken);
            }

            if (!await FillAsync(cancellationToken))
            {
                return _end == _start ? null : ends.IsOpen ? await GiveUpLineAsync("A quote is never closed.", cancellationToken) : Take(_end - _start, _end - _start);
            }
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private ImportRecord Take(int length, int withBreak)
    {
        var record = new ImportRecord(_line, _buffer.AsMemory(_start, length), null);
        _line += _buffer.AsSpan(_start, withBreak).Count((byte)'\n');
        _start += withBreak;
        return length > 0 && record.Bytes.Span[^1] == '\r' ? record with { Bytes = record.Bytes[..^1] } : record;
    }

    /// <summary>Skips to the next line break, whatever stands around it.</summary>
    private async ValueTask<ImportRecord?> GiveUpLineAsync(string problem, CancellationToken cancellationToken)
    {
        var record = new ImportRecord(_line, default, problem);
        int lineBreak;
        while ((lineBreak = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n')) < 0)
        {
            _start = _end;
            if (!await FillAsync(cancellationToken))
            {
                return record;
            }
        }

        _start += lineBreak + 1;
        _line++;
        return record;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ended)
        {
            return false;
        }

        if (_start > 0 && (_start == _end || _end == _buffer.Length))
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        _ended = read == 0;
        return !_ended;
    }
}

/// <summary>Finds where a record ends, going on where it stopped when more has arrived.</summary>
internal interface IRecordEnds
{
    /// <summary>At the end of what was seen a quote is open.</summary>
    bool IsOpen { get; }

    /// <summary>A new record begins.</summary>
    void Begin();

    /// <summary>Index of the line break that ends the record, or -1.</summary>
    /// <param name="bytes">From the record's first byte.</param>
    int Find(ReadOnlySpan<byte> bytes);
}

/// <summary>Every line break ends one.</summary>
internal sealed class LineEnds : IRecordEnds
{
    private int _seen;

    public bool IsOpen => false;

    public void Begin() => _seen = 0;

    public int Find(ReadOnlySpan<byte> bytes)
    {
        var found = bytes[_seen..].IndexOf((byte)'\n');
        var end = found < 0 ? -1 : _seen + found;
        _seen = bytes.Length;
        return end;
    }
}
