using System.IO.Compression;
using System.Net;
using System.Text;
using GenericHttpEsp.Sandbox;

namespace GenericHttpEsp.Tests.Sandbox;

public sealed class SandboxBodiesTests : SandboxTest
{
    private const string MetaA = "a@x.test|1568798080|7|20241104|0|wzrk_default|-17005907|";
    private const string MetaB = "b@x.test|1568798080|7|20241104|0|wzrk_default|2|";

    public static TheoryData<string, string, string> Shapes => new()
    {
        { "spec", "application/json", """{"cid":"432","msgs":[{"from":"f@y.test","senderaddr":"s@y.test","to":"a@x.test","mid":"META-A"},{"to":"b@x.test","mid":"META-B"}]}""" },
        { "postmark", "application/json", """[{"From":"\"N\" <f@y.test>","To":"a@x.test","Metadata":{"meta":"META-A"}},{"To":"<b@x.test>","Metadata":{"meta":"META-B"}}]""" },
        { "mailjet", "application/json", """{"Messages":[{"From":{"Email":"f@y.test"},"To":[{"Name":"n@n.test","Email":"a@x.test"}],"EventPayload":"META-A","CustomID":"t"},{"To":[{"Email":"b@x.test"}],"EventPayload":"META-B"}]}""" },
        { "brevo", "application/json", """{"sender":{"email":"f@y.test"},"messageVersions":[{"to":[{"email":"a@x.test"}],"replyTo":{"email":"r@y.test"},"headers":{"X-Mailin-custom":"META-A"}},{"to":[{"email":"b@x.test"}],"headers":{"X-Mailin-custom":"META-B"}}]}""" },
        { "sendgrid", "application/json", """{"content":[{"type":"text/html","value":"x"}],"from":{"email":"f@y.test"},"personalizations":[{"to":[{"email":"a@x.test"}],"custom_args":{"meta":"META-A"}},{"to":[{"email":"b@x.test"}],"custom_args":{"meta":"META-B"}}]}""" },
        { "resend", "application/json", """[{"from":"f@y.test","to":["a@x.test"],"headers":{"X-Meta":"META-A"}},{"to":["b@x.test"],"headers":{"X-Meta":"META-B"}}]""" },
        { "escaped", "application/json", $$"""[{"to":"\u0061@x.test","mid":"{{MetaA.Replace("|", "\\u007C", StringComparison.Ordinal)}}"},{"\u0074o":"b@x.test","mid":"{{MetaB}}"}]""" },
        { "form", "application/x-www-form-urlencoded", $"from=f%40y.test&to=a%40x.test&to=b@x.test&mid={Uri.EscapeDataString(MetaA)}&mid={Uri.EscapeDataString(MetaB)}" },
        { "mailgun", "application/x-www-form-urlencoded", "to=a@x.test&to=b@x.test&recipient-variables=" + Uri.EscapeDataString("""{"a@x.test":{"meta":"META-A"},"b@x.test":{"meta":"META-B"}}""") },
        { "xml", "application/xml", $"<send><from>f@y.test</from><m><to>a@x.test</to><mid>{MetaA}</mid></m><m to='b@x.test'><mid>{MetaB}</mid></m></send>" },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public async Task Body_OfKnownShape_GivesAddressesAndMetaInOrder(string shape, string type, string body)
    {
        var filled = body.Replace("META-A", MetaA, StringComparison.Ordinal).Replace("META-B", MetaB, StringComparison.Ordinal);
        using var answer = await PostAsync(filled, type: type);

        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{shape}: {end.Problem}");
        Assert.Equal(["a@x.test", "b@x.test"], end.AcceptedAddresses);
        Assert.Equal([MetaA, MetaB], end.AcceptedMessageIds);
    }

    [Theory]
    [InlineData("""{"to":"a@x.test","meta":"token-1"}""", "token-1")]
    [InlineData("""{"to":["a@x.test"],"headers":{"X-Meta":"token-1"}}""", "token-1")]
    [InlineData("""{"Destination":{"ToAddresses":["a@x.test"]},"html":"x"}""", null)]
    [InlineData("""{"message":{"from_email":"f@y.test","to":[{"email":"a@x.test","type":"to"}],"metadata":{"meta":"token-1"}}}""", "token-1")]
    [InlineData("""{"to":[{"email":"a@x.test"}],"tags":["token-1"],"cc":["c@x.test"]}""", "token-1")]
    public async Task Body_ForOneRecipient_IsOneRecord(string body, string? messageId)
    {
        using var answer = await PostAsync(body);

        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(["a@x.test"], end.AcceptedAddresses);
        Assert.Equal([messageId], end.AcceptedMessageIds);
    }

    [Fact]
    public async Task Body_WithScalarRecords_HasNoMessageIds()
    {
        using var answer = await PostAsync("""{"to":["a@x.test","b+c@x.test"],"subject":"s","mid":"shared"}""");

        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.Equal(["a@x.test", "b+c@x.test"], end.AcceptedAddresses);
        Assert.Equal([null, null], end.AcceptedMessageIds);
    }

    [Fact]
    public async Task Query_OfGet_IsOneRecord()
    {
        using var answer = await Client.GetAsync(new Uri(Host.Address, $"/any/path?to=a%40x.test&mid={Uri.EscapeDataString(MetaA)}"), Cancel);

        var end = await EntryAsync(SandboxEntryKind.End, 1);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([MetaA], end.AcceptedMessageIds);
    }

    [Theory]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test"}""", 400, "not JSON")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test"}]} trailing""", 400, "not JSON")]
    [InlineData("application/json", "to=a@x.test", 400, "not JSON")]
    [InlineData("application/json", "{\"to\":\"a@x.test\",\"n\":\"\xD8\"}", 400, "not UTF-8")]
    [InlineData("application/json", """{"subject":"none"}""", 422, "no address")]
    [InlineData("application/json", """{"from":{"email":"f@y.test"},"cc":["c@x.test"]}""", 422, "no address")]
    [InlineData("application/json", """{"to":"a@x.test, b@x.test"}""", 422, "no address")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test"},{"to":""}]}""", 422, "record 1 has no address")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test"},null]}""", 422, "record 1 has no address")]
    [InlineData("application/json", """{"to":["a@x.test","nobody"]}""", 422, "record 1 has no address")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test","to":"b@x.test"}]}""", 400, "twice")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test","t\u006f":"b@x.test"}]}""", 400, "twice")]
    [InlineData("application/json", """{"msgs":[{"to":"a@x.test"}],"x":{"k":1,"k":1}}""", 400, "twice")]
    [InlineData("application/json", """{"to":"a@x.test","name":"$$FromName"}""", 422, "'$$FromName' is left")]
    [InlineData("application/json", """{"to":"a@x.test","name":"{{ profile.name }}"}""", 422, "'{{' is left")]
    [InlineData("application/json", """{"to":"a@x.test","name":"\u0024\u0024FromName"}""", 422, "'$$FromName' is left")]
    [InlineData("application/json", """[{"to":"a@x.test","mid":"b@x.test|1|7|20241104|0|v|1|"}]""", 422, "another address")]
    [InlineData("application/json", """[]""", 422, "no address")]
    [InlineData("application/json", "", 400, "neither")]
    [InlineData("application/x-www-form-urlencoded", "to=a%4", 400, "broken '%'")]
    [InlineData("application/x-www-form-urlencoded", "to=a@x.test&s=%24%24Subject", 422, "is left")]
    [InlineData("application/x-www-form-urlencoded", "to=a@x.test&to=nobody", 422, "record 1 has no address")]
    [InlineData("application/xml", "<send><to>a@x.test</send>", 400, "not XML")]
    [InlineData("application/xml", "<send><m><to>a@x.test</to></m><m><to/></m></send>", 422, "record 1 has no address")]
    [InlineData("application/xml", "<!DOCTYPE a [<!ENTITY b 'a@x.test'>]><a><to>&b;</to></a>", 400, "not XML")]
    [InlineData("multipart/form-data; boundary=b", "--b--", 415, "multipart")]
    public async Task Body_ThatIsWrong_IsRefusedWithTheReason(string type, string body, int status, string reason)
    {
        // Latin 1, so that a test can send a byte that is no UTF-8.
        using var answer = await PostAsync(Encoding.Latin1.GetBytes(body), type: type);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(reason, Unescaped(await answer.Content.ReadAsStringAsync(Cancel)), StringComparison.Ordinal);
        Assert.Equal(0, Host.Summary().MessagesAccepted);
        Assert.Equal(1, Host.Summary().RequestsRefused);
        Assert.Single(Host.Summary().Problems);
    }

    [Theory]
    [InlineData("""{"to":"a@x.test","price":"$$5 {x} $$"}""")]
    [InlineData("""{"to":"\"odd | b@c\"@x.test","html":"a|b|c|d|e|f|g|h|i <b>\"q\"</b>"}""")]
    public async Task Body_WithHarmlessText_IsAccepted(string body)
    {
        using var answer = await PostAsync(body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([null], (await EntryAsync(SandboxEntryKind.End, 1)).AcceptedMessageIds);
    }

    [Fact]
    public async Task Body_WithLeftoversAllowed_IsAccepted()
    {
        Host.Behaviour = new() { RefuseLeftovers = false, RefuseForeignMeta = false };

        using var answer = await PostAsync($$"""{"to":"a@x.test","mid":"{{MetaB}}","html":"$$HTML {{"{{"}}x"}""");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Paths_WhenConfigured_AreFollowedAndNothingIsGuessed()
    {
        var host = await StartAsync(new() { RecordsPath = "data.list", AddressPath = "who[0].at", MessageIdPath = "n", BatchKeyPath = "data.key" });

        using var right = await PostAsync("""{"data":{"key":"k1","list":[{"who":[{"at":"a@x.test"}],"to":"c@x.test","n":17}]}}""", host);
        using var wrong = await PostAsync("""{"data":{"list":[{"to":"c@x.test"}]}}""", host);
        using var missing = await PostAsync("""{"to":"c@x.test"}""", host);

        var end = await EntryAsync(SandboxEntryKind.End, 1, host);
        Assert.Equal(["a@x.test"], end.AcceptedAddresses);
        Assert.Equal(["17"], end.AcceptedMessageIds);
        Assert.Equal("k1", end.BatchKey);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, missing.StatusCode);
    }

    [Fact]
    public async Task Body_Zipped_IsUnzippedAndKept()
    {
        var plain = Encoding.UTF8.GetBytes(Batch("a@x.test"));
        using var zipped = new MemoryStream();
        await using (var zip = new GZipStream(zipped, CompressionMode.Compress, leaveOpen: true))
        {
            await zip.WriteAsync(plain, Cancel);
        }

        using var content = new ByteArrayContent(zipped.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        using var answer = await Client.PostAsync(Host.Address, content, Cancel);
        using var broken = new ByteArrayContent(zipped.ToArray()[..20]) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        using var refused = await Client.PostAsync(Host.Address, broken, Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(plain, Host.Bodies[0].Body.ToArray());
        Assert.Equal("gzip", Host.Bodies[0].Header("content-encoding"));
    }

    [Fact]
    public async Task Method_OtherThanGetAndPost_IsRefused()
    {
        using var content = new StringContent("{}");
        using var answer = await Client.PutAsync(Host.Address, content, Cancel);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    private static string Unescaped(string json) => System.Text.RegularExpressions.Regex.Unescape(json);
}
