namespace GenericHttpEsp.Sandbox;

/// <summary>The keys of the JSON objects now open, to see one that is given twice. Parsers disagree about such bodies, so no ESP may get one.</summary>
internal sealed class SandboxKeyNames
{
    /// <summary>The search is linear: fast for records, and bounded by this for anything else.</summary>
    public const int KeysMax = 10_000;

    private readonly List<(int Start, int Length)> _names = [];
    private byte[] _bytes = new byte[4096];
    private int _used;

    public (int Names, int Bytes) Open() => (_names.Count, _used);

    public void Close((int Names, int Bytes) opened)
    {
        _names.RemoveRange(opened.Names, _names.Count - opened.Names);
        _used = opened.Bytes;
    }

    /// <summary>False when the object already has the key, or has too many.</summary>
    public bool TryAdd((int Names, int Bytes) opened, ReadOnlySpan<byte> name)
    {
        for (var at = opened.Names; at < _names.Count; at++)
        {
            var (start, length) = _names[at];
            if (length == name.Length && name.SequenceEqual(_bytes.AsSpan(start, length)))
            {
                return false;
            }
        }

        if (_names.Count - opened.Names >= KeysMax)
        {
            return false;
        }

        if (_used + name.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + name.Length));
        }

        name.CopyTo(_bytes.AsSpan(_used));
        _names.Add((_used, name.Length));
        _used += name.Length;
        return true;
    }
}
