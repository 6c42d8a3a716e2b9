using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using GenericHttpEsp.Providers;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

public sealed class FormatTests
{
    private const string FormFields = """{"to":"$$To","s":"$$Subject","h":"$$HTML","f":"$$FromName","a":"$$FromAddress","m":"$$MessageID"}""";
    private const string Rest = "<f>$$FromName</f><fa>$$FromAddress</fa><s>$$Subject</s><h>$$HTML</h><id>$$MessageID</id>";
    private static readonly CampaignContent Shared = Campaign with { Subject = "S & T", Html = "<p>H</p>" };

    [Theory]
    [InlineData("form", "application/x-www-form-urlencoded")]
    [InlineData("xml", "application/xml; charset=utf-8")]
    [InlineData("text", "text/plain; charset=utf-8")]
    [InlineData("json", "application/json")]
    public void ContentType_OfAFormat_IsADefaultThatAHeaderReplaces(string format, string expected)
    {
        var provider = Of(format);
        Assert.Equal(expected, Request(Bind(provider), Sara()).Header("Content-Type"));
        var own = provider with { Headers = [new("content-type", "text/odd", null)] };
        Assert.Equal(["text/odd"], Request(Bind(own), Sara()).Headers.Where(header => header.Name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Select(header => header.Value));
    }

    [Fact]
    public void Form_Batched_RepeatsTheField()
    {
        var provider = Provider("""{"s":"$$Subject","to":["$$To"],"h":"$$HTML","f":"$$FromName <$$FromAddress>","k":"$$BatchID","n":null}""", new("to", 5, null, null)) with { BodyFormat = "form" };
        Assert.Equal(
            $"s=S+%26+T&to=a%2Bb%40x.y&to=c%40x.y&h=%3Cp%3EH%3C%2Fp%3E&f=Acme+%22Deals%22+%3Cdeals%40acmestore.com%3E&k={BatchKey}&n=",
            Text(Request(Bind(provider, Shared), Sara(1, "a+b@x.y"), Sara(2, "c@x.y"))));
    }

    [Fact]
    public void Form_BatchOfTheFirstField_HasNoStraySeparators()
    {
        var provider = Provider("""{"to":"$$To","s":"$$Subject$$HTML$$FromName$$FromAddress"}""", new("to", 5, null, null)) with { BodyFormat = "form" };
        Assert.StartsWith("to=a%40x.y&to=b%40x.y&s=", Text(Request(Bind(provider, Shared), Sara(1, "a@x.y"), Sara(2, "b@x.y"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Xml_Batched_RepeatsTheFirstElementOfTheName()
    {
        var source = $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<q xmlns:p='urn:x' n='$$CampaignID'>\n <p:m to=\"$$To\">{Rest}</p:m>\n <p:m>2</p:m>\n <!-- $ --> <e a='x&quot;y'/>\n</q>";
        var compilation = RequestTemplate.Compile(Xml(source, new("p:m", 5, null, null)));
        Assert.Contains(compilation.Warnings, warning => warning.StartsWith("Line 4, column 3: only the first element", StringComparison.Ordinal));
        var body = Text(Request(Bind(Xml(source, new("p:m", 5, null, null)), Shared), Sara(1, "a@x.y"), Sara(2, "b@x.y")));
        Assert.StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<q xmlns:p=\"urn:x\" n=\"432\">\n <p:m to=\"a@x.y\"><f>Acme \"Deals\"</f>", body, StringComparison.Ordinal);
        Assert.Contains("</p:m><p:m to=\"b@x.y\">", body, StringComparison.Ordinal);
        Assert.EndsWith("</p:m>\n \n <!-- $ --> <e a=\"x&quot;y\"/>\n</q>", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Xml_ElementAlone_WarnsOfASharedList()
    {
        var source = $"<q><to>$$To</to>{Rest.Replace("<id>$$MessageID</id>", "", StringComparison.Ordinal)}</q>";
        Assert.Contains(RequestTemplate.Compile(Xml(source, new("to", 5, null, null))).Warnings, warning => warning.Contains("see each other", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("form", """{"to":"$$To","n":{"a":1}}""", null, "/parameters/n", "strings, numbers or booleans")]
    [InlineData("form", """[1]""", null, "/parameters", "flat object")]
    [InlineData("form", """{"a":1,"a":2}""", null, "/parameters/a", "twice")]
    [InlineData("form", """{"a":"$$subject"}""", null, "/parameters/a", "write $$Subject")]
    [InlineData("form", """{"msgs":[{"to":"$$To"}]}""", "msgs", "/parameters/msgs", "bodyFormat json or xml")]
    [InlineData("form", """{"to":"$$To"}""", "recipients", "/batch/parameter", "Fields are: to")]
    [InlineData("form", """{"to":["$$To"],"x":"{{ profile.x }}"}""", "to", "/parameters/x", "shared by the whole batch")]
    [InlineData("text", """{"a":1}""", null, "/parameters", "one string")]
    [InlineData("text", "\"a\\n  $$subject\"", null, "/parameters", "Line 2, column 3: $$subject is not known")]
    [InlineData("text", "\"$$To\"", "x", "/batch", "one message")]
    [InlineData("xml", """{"a":1}""", null, "/parameters", "one string")]
    [InlineData("xml", "\"<a><b></a>\"", null, "/parameters", "Line 1, column 9: This is not XML")]
    [InlineData("xml", "\"<a>\"", null, "/parameters", "This is not XML")]
    [InlineData("xml", "\"<a/><b/>\"", null, "/parameters", "multiple root")]
    [InlineData("xml", "\"<a>&nbsp;</a>\"", null, "/parameters", "This is not XML")]
    [InlineData("xml", "\"<a>\\u0001</a>\"", null, "/parameters", "This is not XML")]
    [InlineData("xml", "\"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>\"", null, "/parameters", "DTD")]
    [InlineData("xml", "\"<a><?php evil ?></a>\"", null, "/parameters", "Line 1, column 6: <?php ...?> is a processing instruction")]
    [InlineData("xml", "\"<?xml version='1.0' encoding='latin1'?><a/>\"", null, "/parameters", "UTF-8")]
    [InlineData("xml", "\"<$$To/>\"", null, "/parameters", "Line 1, column 2: A placeholder cannot stand here")]
    [InlineData("xml", "\"<a>\\n<b$$x='1'/></a>\"", null, "/parameters", "Line 2, column 3: A placeholder cannot stand here")]
    [InlineData("xml", "\"<a {{profile.x}}='1'/>\"", null, "/parameters", "A placeholder cannot stand here")]
    [InlineData("xml", "\"<a xmlns='$$ns'/>\"", null, "/parameters", "A namespace")]
    [InlineData("xml", "\"<a><!-- $$To --></a>\"", null, "/parameters", "A comment holds no placeholders")]
    [InlineData("xml", "\"<a><![CDATA[{{ profile.x }}]]></a>\"", null, "/parameters", "CDATA holds no placeholders")]
    [InlineData("xml", "\"<a>\\n<b>x $$subject</b></a>\"", null, "/parameters", "Line 2, column 6: $$subject is not known")]
    [InlineData("xml", "\"<a b='$$subject'/>\"", null, "/parameters", "Line 1, column 4: $$subject is not known")]
    [InlineData("xml", "\"<a><b>{{ profile.x }}</b><m>$$To</m></a>\"", "m", "/parameters", "Line 1, column 7: A value from the profile differs")]
    [InlineData("xml", "\"<a><m>$$To</m></a>\"", "n", "/batch/parameter", "Elements are: a, m")]
    [InlineData("xml", "\"<a><m>$$To</m></a>\"", "a", "/batch/parameter", "below the root")]
    public void Save_WrongTemplate_SaysWhere(string format, string parameters, string? batch, string path, string part)
    {
        var provider = Provider(parameters, batch is null ? null : new(batch, 5, null, null)) with { BodyFormat = format };
        var compilation = RequestTemplate.Compile(provider);
        Assert.Null(compilation.Template);
        Assert.True(compilation.Errors.TryGetValue(path, out var messages) && messages.Any(message => message.Contains(part, StringComparison.Ordinal)), JsonSerializer.Serialize(compilation.Errors));
    }

    [Fact]
    public void Save_SeveralErrorsInOneXml_AreToldTogether()
    {
        var errors = RequestTemplate.Compile(Xml("<a b='$$to'><!-- $$To -->\n$$html<?x?></a>")).Errors["/parameters"];
        Assert.All(
            ["Line 1, column 4: $$to", "Line 1, column 17: A comment", "Line 2, column 1: $$html", "Line 2, column 9: <?x", "$$To is missing"],
            start => Assert.Contains(errors, error => error.StartsWith(start, StringComparison.Ordinal)));
    }

    [Fact]
    public void Save_XmlNestedForEver_IsRefused()
    {
        var errors = RequestTemplate.Compile(Xml(string.Concat(Enumerable.Repeat("<a>", 50_000)) + string.Concat(Enumerable.Repeat("</a>", 50_000)))).Errors;
        Assert.Contains(errors["/parameters"], message => message.Contains("nested more than 64 deep", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("xml", "bodyFormat")]
    [InlineData("text", "bodyFormat")]
    public void Save_GetWithABodyFormat_IsRefused(string format, string member) =>
        Assert.Contains($"/{member}", RequestTemplate.Compile(Provider("\"x\"") with { RequestType = "GET", BodyFormat = format }).Errors.Keys);

    [Fact]
    public void Save_GetCompressedOrOddCompression_IsRefused()
    {
        Assert.Contains("/compression", RequestTemplate.Compile(Provider(FormFields) with { RequestType = "GET", Compression = "gzip" }).Errors.Keys);
        Assert.Contains("/compression", RequestTemplate.Compile(Provider() with { Compression = "br" }).Errors.Keys);
    }

    [Theory]
    [InlineData("form")]
    [InlineData("xml")]
    [InlineData("text")]
    [InlineData("GET")]
    public void Optional_Unset_KeepsItsKey(string format)
    {
        string[] names = ["ReplyToAddress", "cc", "bcc", "Plaintext", "AMPHTML"];
        var provider = format switch
        {
            "xml" => Xml($"<q><to>$$To</to>{Rest}{string.Concat(names.Select(name => $"<{name}>$${name}</{name}>"))}</q>"),
            "text" => Provider() with { BodyFormat = "text", Parameters = JsonSerializer.SerializeToElement("$$To$$Subject$$HTML$$FromName$$FromAddress\n" + string.Join('\n', names.Select(name => $"{name}=[$${name}]"))) },
            _ => Provider(FormFields.Replace("}", string.Concat(names.Select(name => $",\"{name}\":\"$${name}\"")) + "}", StringComparison.Ordinal)) with { BodyFormat = format == "GET" ? null : format, RequestType = format == "GET" ? "GET" : "POST" },
        };
        var request = Request(Bind(provider), Sara());
        var sent = format == "GET" ? request.Uri.Query + "&" : Text(request) + "&";
        Assert.All(names, name => Assert.Contains(format switch { "xml" => $"<{name}></{name}>", "text" => $"{name}=[]", _ => $"&{name}=&" }, sent, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("12.50", "12.50")]
    [InlineData("true", "true")]
    [InlineData("null", "")]
    [InlineData("""{"a":[1,"<$$To>"]}""", """{"a":[1,"<$$To>"]}""")]
    public void CustomValue_InATextFormat_IsItsJson(string value, string expected)
    {
        var campaign = Campaign with { Values = new Dictionary<string, JsonElement> { ["hid"] = JsonDocument.Parse(value).RootElement } };
        var form = Provider(FormFields.Replace("{", "{\"hid\":\"$$hid\",", StringComparison.Ordinal)) with { BodyFormat = "form" };
        Assert.Equal(expected, System.Web.HttpUtility.ParseQueryString(Text(Request(Bind(form, campaign), Sara())))["hid"]);
        var xml = Xml($"<q><hid>$$hid</hid><to>$$To</to>{Rest}</q>");
        Assert.Equal(expected, System.Xml.Linq.XElement.Parse(Text(Request(Bind(xml, campaign), Sara()))).Element("hid")!.Value);
    }

    [Fact]
    public void Get_LongerThanAnAddressMayBe_FailsThatRecordAlone()
    {
        var template = Bind(Provider(FormFields.Replace(",\"h\":\"$$HTML\"", ",\"n\":\"{{ profile.name }}\",\"k\":\"$$BatchID\"", StringComparison.Ordinal)) with { RequestType = "GET" });
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        RecipientModel Named(int length) => RecipientModel.FromValues(1, "a@b.c", new Dictionary<string, object?> { ["name"] = new string('ä', length), ["discount"] = 1 });
        Assert.Null(template.RenderRecord(Named(1), scratch, output));
        var one = template.Assemble([output.WrittenMemory], BatchKey).Uri.AbsoluteUri.Length;
        var most = 1 + ((8000 - one) / 6);
        output.Clear();
        Assert.Null(template.RenderRecord(Named(most), scratch, output));
        Assert.InRange(template.Assemble([output.WrittenMemory], BatchKey).Uri.AbsoluteUri.Length, 7995, 8000);
        output.Clear();
        var failure = template.RenderRecord(Named(most + 1), scratch, output);
        Assert.Equal((RenderFailureReason.TooLarge, 0), (failure!.Value.Reason, output.Length));
        Assert.Contains("at most 8000", failure.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Get_WithHtml_Warns() =>
        Assert.Contains(RequestTemplate.Compile(Provider(FormFields) with { RequestType = "GET" }).Warnings, warning => warning.StartsWith("$$HTML in a GET", StringComparison.Ordinal));

    private static ProviderContract Of(string format) => format switch
    {
        "form" => Provider(FormFields) with { BodyFormat = "form" },
        "xml" => Xml($"<q><to>$$To</to>{Rest}</q>"),
        "text" => Provider() with { BodyFormat = "text", Parameters = JsonSerializer.SerializeToElement("$$To $$Subject $$HTML $$FromName $$FromAddress $$MessageID") },
        _ => Provider() with { BodyFormat = format },
    };

    private static ProviderContract Xml(string source, BatchContract? batch = null) =>
        Provider() with { BodyFormat = "xml", Parameters = JsonSerializer.SerializeToElement(source), Batch = batch };

    private static string Text(AssembledRequest request) => Encoding.UTF8.GetString(request.Bytes());
}
