using System.Xml;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Providers;

/// <summary>
/// Walks the template's XML once, as a parser reads it, and writes it with slots: a value stands in a text or in an attribute, nowhere else. So the
/// template is XML first; what is written in it as <c>&amp;quot;</c> is a quote to Liquid.
/// </summary>
internal sealed class XmlBodyCompiler(SegmentWriter writer, TemplateProblems problems)
{
    private const int NamesShownMax = 20;

    // No types and no entities: neither our reader nor the ESP's shall go and fetch something.
    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };

    private readonly List<string> _names = [];
    private IReadOnlyList<TemplateSegment>? _head;
    private IReadOnlyList<TemplateSegment> _record = [];
    private string? _repeated;
    private bool _repeatsScalar;
    private int _elements;

    public CompiledBody Compile(string source, BatchContract? batch)
    {
        _repeated = batch?.Parameter;
        using var reader = XmlReader.Create(new StringReader(source), Settings);
        try
        {
            Children(reader, 0);
        }
        catch (XmlException error)
        {
            problems.Add(TemplateSpot.At(JsonBodyCompiler.Root, error.LineNumber, error.LinePosition), XmlWords.Of(error, source));
            return CompiledBody.Nothing;
        }
        var rest = writer.Take();
        if (batch is null)
        {
            return new([], rest, [], false);
        }
        if (_head is null)
        {
            problems.Add("/batch/parameter", $"The parameters have no element '{_repeated}' below the root: name the element that is repeated for each record. Elements are: {string.Join(", ", _names)}.");
        }
        return new(_head ?? [], _record, rest, _repeatsScalar);
    }

    /// <summary>The document itself at depth 0.</summary>
    private void Children(XmlReader reader, int depth)
    {
        var isRepeatedHere = false;
        var more = reader.Read();
        while (more && reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType == XmlNodeType.Element && MustSkip(reader, depth, isRepeatedHere))
            {
                reader.Skip();
                more = !reader.EOF;
                continue;
            }
            if (depth > 0 && _head is null && reader.NodeType == XmlNodeType.Element && reader.Name == _repeated)
            {
                isRepeatedHere = true;
                Prototype(reader, depth);
            }
            else
            {
                Node(reader, depth);
            }
            more = reader.Read();
        }
    }

    private bool MustSkip(XmlReader reader, int depth, bool isRepeatedHere)
    {
        if (isRepeatedHere && reader.Name == _repeated)
        {
            problems.Warn($"{SpotOf(reader).Inside}only the first element '{_repeated}' is the prototype of a record; this one is left out.");
            return true;
        }
        if (depth == JsonBodyCompiler.DepthMax)
        {
            problems.Add(SpotOf(reader), $"The XML is nested more than {JsonBodyCompiler.DepthMax} deep.");
            return true;
        }
        return false;
    }

    private void Prototype(XmlReader reader, int depth)
    {
        _head = writer.Take();
        var before = _elements;
        _repeatsScalar = !reader.HasAttributes;
        Node(reader, depth);
        _record = writer.Take();
        _repeatsScalar &= _elements == before + 1;
    }

    private void Node(XmlReader reader, int depth)
    {
        switch (reader.NodeType)
        {
            case XmlNodeType.Element:
                Element(reader, depth);
                break;
            case XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                var (line, column) = PositionOf(reader);
                TemplateText.Compile(reader.Value, ValuePlace.XmlText, new TextSpots(JsonBodyCompiler.Root, reader.Value, line, column).At, writer, problems);
                break;
            case XmlNodeType.Comment:
                Fixed(reader, "<!--", "-->", "A comment");
                break;
            case XmlNodeType.CDATA:
                // A value could end it with ]]>.
                Fixed(reader, "<![CDATA[", "]]>", "CDATA");
                break;
            case XmlNodeType.XmlDeclaration:
                Declaration(reader);
                break;
            default:
                problems.Add(SpotOf(reader), $"<?{reader.Name} ...?> is a processing instruction: leave it out.");
                break;
        }
    }

    private void Element(XmlReader reader, int depth)
    {
        var (name, isEmpty) = (reader.Name, reader.IsEmptyElement);
        _elements++;
        if (_names.Count < NamesShownMax && !_names.Contains(name))
        {
            _names.Add(name);
        }
        Plain("<" + name);
        for (var more = reader.MoveToFirstAttribute(); more; more = reader.MoveToNextAttribute())
        {
            Attribute(reader);
        }
        reader.MoveToElement();
        if (isEmpty)
        {
            Plain("/>");
            return;
        }
        Plain(">");
        Children(reader, depth + 1);
        Plain($"</{name}>");
    }

    private void Attribute(XmlReader reader)
    {
        var spot = SpotOf(reader);
        Plain($" {reader.Name}=\"");
        if ((reader.Name == "xmlns" || reader.Prefix == "xmlns") && !TemplateText.IsFixed(reader.Value))
        {
            problems.Add(spot, "A namespace is a part of names: it holds no placeholders.");
        }
        TemplateText.Compile(reader.Value, ValuePlace.XmlAttribute, _ => spot, writer, problems);
        Plain("\"");
    }

    private void Fixed(XmlReader reader, string before, string after, string what)
    {
        if (!TemplateText.IsFixed(reader.Value))
        {
            problems.Add(SpotOf(reader), $"{what} holds no placeholders: write them as plain text of an element, where their values are escaped.");
        }
        Plain(before + reader.Value + after);
    }

    private void Declaration(XmlReader reader)
    {
        if (reader.GetAttribute("encoding") is { } encoding && !encoding.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(SpotOf(reader), $"The body is sent in UTF-8: encoding '{encoding}' would be a lie.");
        }
        Plain($"<?xml {reader.Value}?>");
    }

    private void Plain(string text) => writer.Text(text, ValuePlace.PlainText);

    private static (int Line, int Column) PositionOf(XmlReader reader) => reader is IXmlLineInfo info ? (info.LineNumber, info.LinePosition) : (1, 1);

    private static TemplateSpot SpotOf(XmlReader reader)
    {
        var (line, column) = PositionOf(reader);
        return TemplateSpot.At(JsonBodyCompiler.Root, line, column);
    }
}
