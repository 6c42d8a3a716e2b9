namespace GenericHttpEsp.Sandbox;

/// <summary>Counts how often each text came, up to a bound of distinct texts. Not thread safe: its owner locks.</summary>
internal sealed class SandboxRepetitions(int distinctMax, StringComparer comparer)
{
    private readonly HashSet<string> _seen = new(comparer);
    private readonly Dictionary<string, int> _repeated = new(comparer);

    public long Distinct => _seen.Count;

    public long Repeated => _repeated.Count;

    public long NotTracked { get; private set; }

    public void Add(string? text)
    {
        if (text is null || (_seen.Count < distinctMax && _seen.Add(text)))
        {
            return;
        }

        if (_seen.Contains(text))
        {
            _repeated[text] = _repeated.GetValueOrDefault(text, 1) + 1;
        }
        else
        {
            NotTracked++;
        }
    }

    public Dictionary<string, int> Some(int max) => _repeated.Take(max).ToDictionary(one => one.Key, one => one.Value, comparer);
}
