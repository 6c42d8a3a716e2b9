namespace GenericHttpEsp.Recipients;

/// <summary>RFC 4180: a line break inside a quoted field belongs to the record. A quote opens at the beginning of a field only.</summary>
internal sealed class CsvRecordEnds : IRecordEnds
{
    private State _state;
    private int _seen;

    private enum State
    {
        FieldStart,
        Plain,
        Quoted,

        /// <summary>Behind a quote in a quoted field: the end of the field, or the first half of a quote in the text.</summary>
        QuoteSeen,
    }

    /// <summary>Known once the header has been seen; before that line breaks and quotes alone count.</summary>
    public byte Delimiter { get; set; } = (byte)',';

    public bool IsOpen => _state == State.Quoted;

    public void Begin() => (_state, _seen) = (State.FieldStart, 0);

    public int Find(ReadOnlySpan<byte> bytes)
    {
        while (_seen < bytes.Length)
        {
            var rest = bytes[_seen..];
            if (_state is State.FieldStart or State.QuoteSeen)
            {
                _state = rest[0] == '"' ? State.Quoted : State.Plain;
                _seen += rest[0] == '"' ? 1 : 0;
                continue;
            }

            var next = _state == State.Quoted ? rest.IndexOf((byte)'"') : rest.IndexOfAny(Delimiter, (byte)'\n');
            if (next < 0)
            {
                _seen = bytes.Length;
                return -1;
            }

            _seen += next + 1;
            if (_state == State.Plain && rest[next] == '\n')
            {
                return _seen - 1;
            }

            _state = _state == State.Quoted ? State.QuoteSeen : State.FieldStart;
        }

        return -1;
    }
}
