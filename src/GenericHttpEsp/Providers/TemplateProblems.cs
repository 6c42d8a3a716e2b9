namespace GenericHttpEsp.Providers;

/// <summary>Everything wrong with a provider or campaign at once: JSON pointer to messages, and warnings that do not stop it.</summary>
internal sealed class TemplateProblems
{
    private readonly SortedDictionary<string, List<string>> _errors = new(StringComparer.Ordinal);
    private readonly List<string> _warnings = [];

    public bool HasErrors => _errors.Count > 0;

    public IReadOnlyDictionary<string, string[]> Errors => _errors.ToDictionary(error => error.Key, error => error.Value.ToArray(), StringComparer.Ordinal);

    public IReadOnlyList<string> Warnings => _warnings;

    public void Add(TemplateSpot spot, string message) => Add(spot.Pointer, spot.Inside + message);

    public void Add(string pointer, string message)
    {
        if (!_errors.TryGetValue(pointer, out var messages))
        {
            _errors[pointer] = messages = [];
        }
        if (!messages.Contains(message))
        {
            messages.Add(message);
        }
    }

    public void Warn(string message)
    {
        if (!_warnings.Contains(message))
        {
            _warnings.Add(message);
        }
    }

    /// <summary>One step of a JSON pointer (RFC 6901).</summary>
    public static string Step(string name) => "/" + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
