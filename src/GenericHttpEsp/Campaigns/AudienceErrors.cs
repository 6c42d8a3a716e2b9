using GenericHttpEsp.Api;

namespace GenericHttpEsp.Campaigns;

/// <summary>Everything wrong with an audience, by JSON pointer; bounded, so that a hostile body cannot grow its own answer.</summary>
internal sealed class AudienceErrors
{
    public const int ErrorsMax = 100;
    public const int NameLengthMax = 200;
    private readonly Dictionary<string, List<string>> _messages = [];
    private int _count;

    public bool Any => _count > 0;

    /// <summary>Nothing more is taken: reading on is of no use.</summary>
    public bool Full => _count >= ErrorsMax;

    public void Add(string pointer, string message)
    {
        if (Full)
        {
            return;
        }

        _count++;
        if (!_messages.TryGetValue(pointer, out var messages))
        {
            _messages[pointer] = messages = [];
        }

        messages.Add(message);
    }

    public void AddIf(bool wrong, string pointer, string message)
    {
        if (wrong)
        {
            Add(pointer, message);
        }
    }

    /// <summary>A name that nothing bears, with the one that was probably meant.</summary>
    public void AddUnknown(string pointer, string kind, string name, IReadOnlyList<string> known)
    {
        var nearest = NearestName.Of(name, known);
        Add(pointer, nearest is null
            ? $"Unknown {kind}; known are {string.Join(", ", known)}."
            : $"Unknown {kind}; did you mean {nearest}?");
    }

    /// <summary>The name of a list or an attribute.</summary>
    public void CheckName(string pointer, string name)
    {
        AddIf(name.Length is 0 or > NameLengthMax, pointer, $"A name has 1 to {NameLengthMax} characters.");
        CheckText(pointer, name);
    }

    /// <summary>What PostgreSQL cannot store cannot be asked for either: it would abort the statement.</summary>
    public void CheckText(string pointer, string text) =>
        AddIf(text.Contains('\0', StringComparison.Ordinal), pointer, "U+0000 is not allowed.");

    public IReadOnlyDictionary<string, string[]> ToDictionary() => _messages.ToDictionary(static pair => pair.Key, static pair => pair.Value.ToArray());
}
