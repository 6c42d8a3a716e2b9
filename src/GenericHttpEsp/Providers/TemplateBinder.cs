using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>Puts a campaign into a compiled template.</summary>
internal sealed class TemplateBinder(RequestTemplate template, CampaignContent content, RunFacts run, TemplateProblems problems)
{
    private static readonly byte[] Gzip = Encoding.ASCII.GetBytes("gzip");
    private readonly List<RecordPart[]> _pieces = [];

    public BoundTemplate? Bind()
    {
        var provider = template.Provider;
        if (Encoding.UTF8.GetByteCount(run.Variant) > MessageToken.VariantBytesMax(run.Campaign, run.Run) && run.Variant != MessageMeta.DefaultVariant)
        {
            problems.Add("/variant", "The variant's name is too long for a message token.");
            return null;
        }
        using var scratch = new RenderScratch(TimeProvider.System);
        using var writer = new PartWriter();
        var binder = new SlotBinder(run, new(run, provider.PreferenceCenter), new(content, provider, problems), scratch, problems);
        var body = template.Parts.Body;
        var batched = provider.Batch is not null;
        var head = Shared(body.Head, binder, writer);
        var record = Varying(body.Record, binder, writer);
        var bound = new BoundBody(head, record, body.Separator, Shared(body.Tail, binder, writer));
        var query = Varying(template.Parts.Query, binder, writer);
        BoundHeader[] headers = [.. template.Parts.Headers.Select(header => Header(header, batched, binder, writer)), .. Implied(provider)];
        return problems.HasErrors ? null : new BoundTemplate(provider, bound, query, headers, [.. _pieces]);
    }

    /// <summary>Each piece ends where a <c>$$BatchID</c> or another section begins.</summary>
    private PieceRange Varying(IReadOnlyList<TemplateSegment> segments, SlotBinder binder, PartWriter writer)
    {
        var first = _pieces.Count;
        if (segments.Count > 0)
        {
            Fill(segments, binder, writer);
            _pieces.AddRange(Cut(writer.Take()));
        }
        return new(first, _pieces.Count - first);
    }

    private byte[][] Shared(IReadOnlyList<TemplateSegment> segments, SlotBinder binder, PartWriter writer)
    {
        Fill(segments, binder, writer);
        foreach (var (spot, name) in writer.OfRecipient)
        {
            problems.Add(spot, $"{name} names the profile, but the provider's template has it where a whole batch shares it. Take the profile out, or use a provider that sends one message a request.");
        }
        return Bytes(writer.Take());
    }

    private BoundHeader Header(CompiledHeader header, bool batched, SlotBinder binder, PartWriter writer)
    {
        if (batched)
        {
            return new(header.Name, header.Secret, Shared(header.Value, binder, writer), default);
        }
        Fill(header.Value, binder, writer);
        var varies = writer.OfRecipient.Count > 0;
        var parts = writer.Take();
        if (!varies)
        {
            return new(header.Name, header.Secret, Bytes(parts), default);
        }
        var first = _pieces.Count;
        _pieces.AddRange(Cut(parts));
        return new(header.Name, header.Secret, null, new(first, _pieces.Count - first));
    }

    private static void Fill(IReadOnlyList<TemplateSegment> segments, SlotBinder binder, PartWriter writer)
    {
        foreach (var segment in segments)
        {
            binder.Bind(segment, writer);
        }
    }

    private static IEnumerable<RecordPart[]> Cut(RecordPart[] parts)
    {
        var start = 0;
        for (var index = 0; index <= parts.Length; index++)
        {
            if (index == parts.Length || parts[index] is RecordPart.BatchIdCut)
            {
                yield return parts[start..index];
                start = index + 1;
            }
        }
    }

    private static byte[][] Bytes(RecordPart[] parts) =>
        [.. Cut(parts).Select(piece => piece.OfType<RecordPart.Literal>().SelectMany(literal => literal.Bytes).ToArray())];

    private static IEnumerable<BoundHeader> Implied(ProviderContract provider)
    {
        if (provider.Authentication is { Type: "basic" } basic)
        {
            var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic.Username}:{basic.Password}"));
            yield return new("Authorization", true, [Encoding.ASCII.GetBytes("Basic " + credentials)], default);
        }
        if (provider.Compression == "gzip")
        {
            yield return new("Content-Encoding", false, [Gzip], default);
        }
        if (provider.RequestType != "GET" && provider.Headers?.Any(header => "Content-Type".Equals(header.Name, StringComparison.OrdinalIgnoreCase)) != true)
        {
            yield return new("Content-Type", false, [Encoding.ASCII.GetBytes(ContentTypes.Of(provider.BodyFormat))], default);
        }
    }
}
