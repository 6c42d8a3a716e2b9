using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Collects the steps of a record, folding all that is the same for the run into literal bytes.</summary>
internal sealed class PartWriter : IDisposable
{
    private readonly List<RecordPart> _parts = [];

    public Utf8Buffer Literal { get; } = new(int.MaxValue / 2);

    /// <summary>What made the part differ by recipient; for a message when it stands in a shared place.</summary>
    public List<(TemplateSpot Spot, string Name)> OfRecipient { get; } = [];

    public void Text(string text, ValuePlace place) => PlaceEscaper.Write(text.AsSpan(), place, Literal);

    public void Add(RecordPart part)
    {
        Flush();
        _parts.Add(part);
    }

    public void AddOfRecipient(RecordPart part, TemplateSpot spot, string name)
    {
        OfRecipient.Add((spot, name));
        Add(part);
    }

    public RecordPart[] Take()
    {
        Flush();
        RecordPart[] taken = [.. _parts];
        _parts.Clear();
        OfRecipient.Clear();
        return taken;
    }

    public void Dispose() => Literal.Dispose();

    private void Flush()
    {
        if (Literal.Length > 0)
        {
            _parts.Add(new RecordPart.Literal(Literal.WrittenSpan.ToArray()));
            Literal.Clear();
        }
    }
}
