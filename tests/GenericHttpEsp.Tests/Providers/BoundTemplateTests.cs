using System.Text;
using System.Text.Json;
using GenericHttpEsp.Content;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

public sealed class BoundTemplateTests
{
    [Fact]
    public void Request_OfTheSpecification_HoldsAllValues()
    {
        var request = Request(Bind(Provider()), Sara());
        var json = request.Json();
        Assert.Equal("sara@example.com", json.GetProperty("to").GetString());
        Assert.Equal("Your 20% Discount", json.GetProperty("subject").GetString());
        Assert.Equal("Acme \"Deals\"", json.GetProperty("fromName").GetString());
        Assert.Equal("<html><body>Hello Sara &quot;S&quot; &lt;b&gt;, \"enjoy\"</body></html>", json.GetProperty("htmlContent").GetString());
        Assert.Equal("promo", json.GetProperty("trackingId").GetString());
        Assert.Equal("Sara \"S\" <b>", json.GetProperty("userName").GetString());
        var (meta, signature) = MessageMeta.Parse(json.GetProperty("mid").GetString()!, Keys)!.Value;
        Assert.Equal(MetaSignature.Valid, signature);
        Assert.Equal(new MessageMeta("sara@example.com", 1568798080, 432, new(2026, 11, 5), 0, MessageMeta.DefaultVariant, -17005910), meta);
        Assert.Equal(("POST", "https://esp.example/send", "application/json"), (request.Method, request.Uri.AbsoluteUri, request.Header("Content-Type")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(500)]
    public void Request_Batched_HasOneElementARecipientAndSharedKeysOnce(int count)
    {
        var template = Bind(Msgs());
        var json = Request(template, [.. Enumerable.Range(1, count).Select(id => Sara(id, $"p{id}@example.com"))]).Json();
        Assert.Equal("432", json.GetProperty("cid").GetString());
        Assert.Equal(Enumerable.Range(1, count).Select(id => $"p{id}@example.com"), json.GetProperty("msgs").EnumerateArray().Select(item => item.GetProperty("to").GetString()));
        Assert.Equal(["cid", "msgs"], json.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public void Request_RootArray_IsAnArrayOfRecords()
    {
        var parameters = "[" + Whole + "]";
        var json = Request(Bind(Provider(parameters, new("", 100, null, null))), Sara(1), Sara(2)).Json();
        Assert.Equal(2, json.GetArrayLength());
        Assert.Equal("sara@example.com", json[1].GetProperty("to").GetString());
    }

    [Theory]
    [InlineData("""["$$To"]""")]
    [InlineData("\"$$To\"")]
    public void Request_ScalarArray_ListsAddresses(string to)
    {
        var parameters = $$"""{"to":{{to}},"subject":"$$Subject","html":"$$HTML","from":"$$FromName <$$FromAddress>"}""";
        var campaign = Campaign with { Subject = "S", Html = "<p>H</p>" };
        var json = Request(Bind(Provider(parameters, new("to", 3, null, null)), campaign), Sara(1, "a@x.y"), Sara(2, "\"q|\\\"\"@x.y")).Json();
        Assert.Equal(["a@x.y", "\"q|\\\"\"@x.y"], json.GetProperty("to").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal("Acme \"Deals\" <deals@acmestore.com>", json.GetProperty("from").GetString());
    }

    [Fact]
    public void Request_BatchIdEverywhere_IsPutInWithoutCopying()
    {
        var provider = Provider(Whole.Replace("{\"to\"", "{\"k\":\"<$$BatchID>\",\"k2\":\"$$BatchID\",\"to\"", StringComparison.Ordinal)) with
        {
            Headers = [new("Idempotency-Key", "$$BatchID", null), new("X-To", "$$To;$$BatchID;$$hid", null)],
        };
        var template = Bind(provider);
        var request = Request(template, Sara());
        Assert.Equal($"<{BatchKey}>", request.Json().GetProperty("k").GetString());
        Assert.Equal(BatchKey, request.Json().GetProperty("k2").GetString());
        Assert.Equal(BatchKey, request.Header("Idempotency-Key"));
        Assert.Equal($"sara@example.com;{BatchKey};promo", request.Header("X-To"));
    }

    [Fact]
    public void Request_BatchIdInRecordsAndEnvelope_StandsInEach()
    {
        var parameters = Batched.Replace("{\"cid\"", "{\"key\":\"$$BatchID\",\"cid\"", StringComparison.Ordinal).Replace("{\"from\"", "{\"b\":\"$$BatchID\",\"from\"", StringComparison.Ordinal);
        var request = Request(Bind(Provider(parameters, new("msgs", 5, null, null))), Sara(1), Sara(2));
        Assert.Equal(BatchKey, request.Json().GetProperty("key").GetString());
        Assert.All(request.Json().GetProperty("msgs").EnumerateArray(), item => Assert.Equal(BatchKey, item.GetProperty("b").GetString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("$$BatchID")]
    public void BodyBytes_WithEnvelope_AreAtLeastTheContentLength(string? inRecord)
    {
        var template = Bind(Provider(Batched.Replace("{\"from\"", $"{{\"b\":\"{inRecord}\",\"from\"", StringComparison.Ordinal), new("msgs", 5, 4096, null)));
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        Assert.Null(template.RenderRecord(Sara(), scratch, output));
        ReadOnlyMemory<byte>[] records = [output.WrittenMemory, output.WrittenMemory, output.WrittenMemory];
        var estimate = template.EnvelopeBytes + records.Sum(record => template.BodyBytes(record));
        Assert.Equal(template.Assemble(records, BatchKey).ContentLength + 1, estimate);
    }

    [Theory]
    [InlineData("12", "12")]
    [InlineData("\"12\"", "\"12\"")]
    [InlineData("true", "true")]
    [InlineData("null", "null")]
    [InlineData("""{"a":[1,"$$HTML {{profile.name}}"]}""", """{"a":[1,"$$HTML {{profile.name}}"]}""")]
    [InlineData("\"{{profile.discount}}%\"", "\"20%\"")]
    public void Request_WholeCustomValue_TakesTheValuesType(string value, string expected)
    {
        var campaign = Campaign with { Values = new Dictionary<string, JsonElement> { ["hid"] = JsonDocument.Parse(value).RootElement } };
        Assert.Equal(expected, Request(Bind(Provider(), campaign), Sara()).Json().GetProperty("trackingId").GetRawText());
    }

    [Fact]
    public void Request_CustomValueInsideText_IsText()
    {
        var campaign = Campaign with { Values = new Dictionary<string, JsonElement> { ["hid"] = JsonDocument.Parse("""{"a":"b"}""").RootElement } };
        var provider = Provider(Whole.Replace("\"$$hid\"", "\"<$$hid> $$$$hid $$$$$$To\"", StringComparison.Ordinal));
        Assert.Equal("""<{"a":"b"}> $$hid $$sara@example.com""", Request(Bind(provider, campaign), Sara()).Json().GetProperty("trackingId").GetString());
    }

    [Fact]
    public void Request_OptionalUnset_KeepsTheKeyBlank()
    {
        var parameters = Whole.Replace("{\"to\"", "{\"r\":\"$$ReplyToAddress\",\"c\":\"$$cc\",\"b\":\"$$bcc\",\"p\":\"$$Plaintext\",\"a\":\"$$AMPHTML\",\"u\":\"$$PreferenceURL\",\"to\"", StringComparison.Ordinal);
        var json = Request(Bind(Provider(parameters)), Sara()).Json();
        Assert.All("rcbpau", key => Assert.Equal("", json.GetProperty(key.ToString()).GetString()));
    }

    [Fact]
    public void Request_ProviderDefaults_FillUnsetSenders()
    {
        var provider = Provider() with { DefaultFromName = "Default", DefaultFromAddress = "d@e.f" };
        var json = Request(Bind(provider, Campaign with { FromName = null, FromAddress = "" }), Sara()).Json();
        Assert.Equal(("Default", "d@e.f"), (json.GetProperty("fromName").GetString(), json.GetProperty("fromAddress").GetString()));
    }

    [Fact]
    public void Request_Links_CarryTheRecipientsToken()
    {
        var parameters = Whole.Replace("{\"to\"", "{\"t\":\"$$MessageToken\",\"u\":\"$$UnsubscribeURL\",\"l\":\"$$ListUnsubscribe\",\"lp\":\"$$ListUnsubscribePost\",\"p\":\"$$PreferenceURL\",\"to\"", StringComparison.Ordinal);
        var provider = Provider(parameters) with { PreferenceCenter = new("system", null) };
        var json = Request(Bind(provider, Campaign with { Html = "{{ unsubscribeUrl }}" }), Sara()).Json();
        var token = json.GetProperty("t").GetString()!;
        Assert.Equal(new MessageToken(432, 0, new(2026, 11, 5), -17005910, MessageMeta.DefaultVariant), MessageToken.Parse(token, Keys));
        Assert.Equal($"https://mail.example/u/{token}", json.GetProperty("u").GetString());
        Assert.Equal($"https://mail.example/u/{token}", json.GetProperty("htmlContent").GetString());
        Assert.Equal($"<https://mail.example/u/{token}>", json.GetProperty("l").GetString());
        Assert.Equal($"https://mail.example/p/{token}", json.GetProperty("p").GetString());
        Assert.Equal("List-Unsubscribe=One-Click", json.GetProperty("lp").GetString());
    }

    [Fact]
    public void Request_Values_AreNeverExpandedAgain()
    {
        var recipient = RecipientModel.FromValues(1, "$$HTML@{{profile.name}}.x", new Dictionary<string, object?> { ["name"] = "$$HTML {{ 7 }} $$$$", ["discount"] = "$$To" });
        var json = Request(Bind(Provider()), recipient).Json();
        Assert.Equal("$$HTML@{{profile.name}}.x", json.GetProperty("to").GetString());
        Assert.Equal("Your $$To% Discount", json.GetProperty("subject").GetString());
        Assert.Equal("$$HTML {{ 7 }} $$$$", json.GetProperty("userName").GetString());
    }

    [Fact]
    public void Request_Get_PutsEverythingIntoTheQuery()
    {
        var provider = Provider("""{"to":"$$To","s":"$$Subject","f":"$$FromName","a":"$$FromAddress","n":3,"b id":"$$BatchID","m":"$$MessageID"}""") with
        {
            RequestType = "GET",
            Endpoint = "http://esp.example/send?key=1",
        };
        var request = Request(Bind(provider), Sara(7, "a+b&c=d@x.y"));
        Assert.StartsWith("?key=1&to=a%2Bb%26c%3Dd%40x.y&s=Your%2020%25%20Discount&f=Acme%20%22Deals%22&a=deals%40acmestore.com&n=3&b%20id=" + BatchKey + "&m=", request.Uri.Query, StringComparison.Ordinal);
        Assert.Empty(request.Body);
        Assert.Equal(("GET", 0), (request.Method, request.ContentLength));
    }

    [Fact]
    public void Request_PersonalHeader_NeverCarriesLineBreaks()
    {
        var provider = Provider() with { Headers = [new("X-Name", "n={{ profile.name }}, $$Subject", null)] };
        var recipient = RecipientModel.FromValues(1, "a@b.c", new Dictionary<string, object?> { ["name"] = "x\r\nX-Evil: y\0", ["discount"] = "ö\n" });
        Assert.Equal("n=x  X-Evil: y , Your Ã¶ % Discount", Request(Bind(provider), recipient).Header("X-Name"));
    }

    [Fact]
    public void Request_Basic_IsAnAuthorizationHeaderAndSecret()
    {
        var provider = Provider() with { Authentication = new("basic", "user", "pässword") };
        var header = Request(Bind(provider), Sara()).Headers.Single(item => item.Name == "Authorization");
        Assert.Equal(("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:pässword")), true), (header.Value, header.Secret));
    }

    [Fact]
    public async Task RenderRecord_SharedByThreads_WritesTheSame()
    {
        var template = Bind(Msgs());
        var expected = Request(Bind(Msgs()), Sara()).Bytes();
        var renderings = Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 200).All(_ => Request(template, Sara()).Bytes().AsSpan().SequenceEqual(expected))));
        Assert.All(await Task.WhenAll(renderings), Assert.True);
    }

    [Fact]
    public void RenderRecord_FailingRecipient_LeavesTheOutputAsItWas()
    {
        var template = Bind(Msgs());
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        Assert.Null(template.RenderRecord(Sara(), scratch, output));
        var before = output.WrittenSpan.ToArray();
        var huge = RecipientModel.FromJson(1, "a@b.c", Encoding.UTF8.GetBytes("{\"name\":\"" + string.Concat(Enumerable.Repeat("\\\"", 400_000)) + "\"}"));
        Assert.Equal(RenderFailureReason.TooLarge, template.RenderRecord(huge, scratch, output)?.Reason);
        Assert.Equal(RenderFailureReason.BadAttributes, template.RenderRecord(RecipientModel.FromJson(1, "a@b.c", "[]"u8.ToArray()), scratch, output)?.Reason);
        Assert.Equal(before, output.WrittenSpan.ToArray());
        Assert.Null(template.RenderRecord(Sara(), scratch, output));
        Assert.Equal([.. before, .. before], output.WrittenSpan.ToArray());
    }
}
