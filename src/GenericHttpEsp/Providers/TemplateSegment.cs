using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>A compiled template is a list of these: bytes that stand, and slots that are filled when a campaign is bound or a record rendered.</summary>
internal abstract record TemplateSegment
{
    internal sealed record Literal(byte[] Bytes) : TemplateSegment;

    /// <param name="Name">Without the dollars.</param>
    /// <param name="Place">What to escape for.</param>
    /// <param name="Whole">The placeholder is the whole JSON value and a custom one: it brings its own type, quotes included.</param>
    /// <param name="Spot">Where it stands, for messages.</param>
    internal sealed record Slot(string Name, ValuePlace Place, bool Whole, TemplateSpot Spot) : TemplateSegment;

    internal sealed record Liquid(LiquidTemplate Template, ValuePlace Place, TemplateSpot Spot) : TemplateSegment;
}

/// <summary>Collects literal bytes and slots, merging what stands side by side.</summary>
internal sealed class SegmentWriter : IDisposable
{
    private readonly Utf8Buffer _literal = new(int.MaxValue / 2);
    private readonly List<TemplateSegment> _segments = [];

    public void Raw(ReadOnlySpan<byte> bytes) => _literal.Write(bytes);

    public void Text(string text, ValuePlace place) => PlaceEscaper.Write(text.AsSpan(), place, _literal);

    public void Add(TemplateSegment segment)
    {
        Flush();
        _segments.Add(segment);
    }

    /// <summary>What was collected; starts anew.</summary>
    public IReadOnlyList<TemplateSegment> Take()
    {
        Flush();
        TemplateSegment[] taken = [.. _segments];
        _segments.Clear();
        return taken;
    }

    public void Dispose() => _literal.Dispose();

    private void Flush()
    {
        if (_literal.Length > 0)
        {
            _segments.Add(new TemplateSegment.Literal(_literal.WrittenSpan.ToArray()));
            _literal.Clear();
        }
    }
}
