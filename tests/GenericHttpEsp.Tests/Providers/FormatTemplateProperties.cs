using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using System.Xml;
using System.Xml.Linq;
using FsCheck;
using FsCheck.Xunit;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

/// <summary>Any template of any format with any values, hostile ones among them, reads back by a parser that is not ours to exactly those values.</summary>
public sealed class FormatTemplateProperties
{
    private const string Mark = "=== here it begins ===";
    private const string Rest = "$$To $$Subject $$HTML $$FromName $$FromAddress $$MessageID";

    [Property(MaxTest = 300)]
    public void Form_AnyFieldsAndValues_ReadBack(int seed, NonNull<string>[] texts, PositiveInt count)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var (parameters, expected) = Fields(values, count.Get % 10);
        var provider = Provider(parameters.ToJsonString()) with { BodyFormat = "form" };
        AssertFields(expected, Text(Request(Bind(provider, values.Campaign), values.Recipient)));
    }

    [Property(MaxTest = 300)]
    public void Query_AnyFieldsAndValues_ReadBack(int seed, NonNull<string>[] texts, PositiveInt count)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var (parameters, expected) = Fields(values, count.Get % 5);
        var provider = Provider(parameters.ToJsonString()) with { RequestType = "GET", Endpoint = "http://esp.example/send?old=1%262" };
        var template = Bind(provider, values.Campaign);
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        if (template.RenderRecord(values.Recipient, scratch, output) is { } failure)
        {
            Assert.Equal(RenderFailureReason.TooLarge, failure.Reason);
            return;
        }
        var uri = template.Assemble([output.WrittenMemory], BatchKey).Uri;
        Assert.InRange(uri.AbsoluteUri.Length, 1, 8000);
        AssertFields([("old", "1&2"), .. expected], uri.Query[1..]);
    }

    [Property(MaxTest = 300)]
    public void Xml_AnyTextsAndAttributes_ReadBack(int seed, NonNull<string>[] texts)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]) { Literal = Allowed };
        var (text, attribute) = (values.Text(), values.Text());
        var source = Source(Element(attribute.Template, text.Template), new XElement("rest", Rest));
        var body = Read(Request(Bind(Xml(source), values.Campaign), values.Recipient)).Root!.Element("x")!;
        Assert.Equal((Allowed(attribute.Expected), Allowed(text.Expected)), (body.Attribute("a")!.Value, body.Value));
    }

    [Property(MaxTest = 100)]
    public void Xml_AnyBatch_HoldsEachRecordOnce(int seed, NonNull<string>[] texts, PositiveInt count)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]) { Literal = Allowed };
        var (text, attribute) = (values.Text(), values.Text());
        var source = Source(new XElement("g", "$$CampaignID"), new XElement("list", Element(attribute.Template, text.Template), "after"), new XElement("end"));
        source = source.Replace("</x>", $"<rest>{Rest}</rest></x>", StringComparison.Ordinal).Replace("<x a=\"", "<x b=\"1\" a=\"", StringComparison.Ordinal);
        var recipients = Enumerable.Repeat(values.Recipient, 1 + (count.Get % 20)).ToArray();
        var root = Read(Request(Bind(Xml(source, new("x", 100, null, null)), values.Campaign), recipients)).Root!;
        Assert.Equal(["g", "list", "end"], root.Elements().Select(element => element.Name.LocalName));
        Assert.Equal(recipients.Length, root.Element("list")!.Elements("x").Count());
        Assert.All(root.Descendants("x"), item => Assert.Equal(
            (Allowed(attribute.Expected), Allowed(text.Expected)), (item.Attribute("a")!.Value, string.Concat(item.Nodes().OfType<XText>().Select(node => node.Value)))));
    }

    [Property(MaxTest = 200)]
    public void Text_AnyTemplateAndValues_StandsAsItIs(int seed, NonNull<string>[] texts)
    {
        var values = new ModelValues(seed, [.. texts.Select(text => text.Get)]);
        var (template, expected) = values.Text();
        var provider = Provider() with { BodyFormat = "text", Parameters = JsonSerializer.SerializeToElement(Rest + Mark + template) };
        Assert.Equal(expected, Text(Request(Bind(provider, values.Campaign), values.Recipient)).Split(Mark, 2)[1]);
    }

    private static (JsonObject Parameters, List<(string, string)> Expected) Fields(ModelValues values, int count)
    {
        var (parameters, expected) = (new JsonObject(), new List<(string, string)>());
        for (var index = 0; index < count; index++)
        {
            var name = $"{index}{ModelValues.Whole(values.AnyText())}";
            var text = values.Text();
            parameters[name] = text.Template;
            expected.Add((name, text.Expected));
        }
        foreach (var (index, name) in ((string[])["$$To", "$$MessageID", "$$Subject", "$$FromName", "$$FromAddress"]).Index())
        {
            parameters[$"rest{index}"] = name;
        }
        parameters["number"] = 1.50m;
        parameters["html"] = "$$HTML";
        expected.Add(("number", "1.50"));
        return (parameters, expected);
    }

    private static void AssertFields(List<(string Name, string Value)> expected, string encoded)
    {
        Assert.All(encoded, letter => Assert.True(char.IsAsciiLetterOrDigit(letter) || "-._~*%+&=".Contains(letter), encoded));
        var fields = HttpUtility.ParseQueryString(encoded);
        Assert.All(expected, field => Assert.Equal([field.Value], fields.GetValues(field.Name)!));
    }

    private static XElement Element(string attribute, string text) => new("x", new XAttribute("a", attribute), text);

    private static string Source(params object[] content)
    {
        var output = new StringBuilder();
        // Entities, or the writer itself would turn CR into LF.
        using (var writer = XmlWriter.Create(output, new XmlWriterSettings { OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.Entitize }))
        {
            new XElement("body", content).WriteTo(writer);
        }
        return output.ToString();
    }

    private static ProviderContract Xml(string source, BatchContract? batch = null) =>
        Provider() with { BodyFormat = "xml", Parameters = JsonSerializer.SerializeToElement(source), Batch = batch };

    private static XDocument Read(AssembledRequest request)
    {
        using var reader = XmlReader.Create(new MemoryStream(request.Bytes()), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        return XDocument.Load(reader, LoadOptions.PreserveWhitespace);
    }

    private static string Text(AssembledRequest request) => new UTF8Encoding(false, true).GetString(request.Bytes());

    private static string Allowed(string text) => string.Concat(ModelValues.Whole(text).EnumerateRunes()
        .Where(rune => rune.Value is 9 or 10 or 13 or (>= 0x20 and <= 0xd7ff) or (>= 0xe000 and <= 0xfffd) or >= 0x10000));
}
