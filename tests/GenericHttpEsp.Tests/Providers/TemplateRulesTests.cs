using System.Diagnostics;
using System.Text.Json;
using GenericHttpEsp.Providers;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

public sealed class TemplateRulesTests
{
    [Theory]
    [InlineData("{}", "/parameters", "$$To is missing")]
    [InlineData("""{"a":"$$subject"}""", "/parameters/a", "write $$Subject")]
    [InlineData("""{"a":{"b/c":["$$HtMl"]}}""", "/parameters/a/b~1c/0", "write $$HTML")]
    [InlineData("""{"a":"{{ profile.x"}""", "/parameters/a", "never closed")]
    [InlineData("""{"a":"{% if true %}x{% endif %}"}""", "/parameters/a", "tags")]
    [InlineData("""{"a":"{{ profile.x | nosuch }}"}""", "/parameters/a", "Unknown filter 'nosuch'")]
    [InlineData("""{"a":1,"a":2}""", "/parameters/a", "twice")]
    [InlineData("""{"a":"\ud800"}""", "/parameters", "surrogate")]
    [InlineData("\"{\\\"a\\\":\"", "/parameters", "not JSON: line 1")]
    public void Save_BadParameters_SayWhere(string parameters, string path, string part) => Refused(Provider(parameters), path, part);

    [Fact]
    public void Save_DepthBomb_IsRefusedQuickly()
    {
        var watch = Stopwatch.StartNew();
        var bomb = JsonSerializer.SerializeToElement(new string('[', 1_000_000));
        Refused(Provider() with { Parameters = bomb }, "/parameters", "not JSON");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 1_000);
    }

    [Theory]
    [InlineData("ftp://x/y", "absolute")]
    [InlineData("/send", "absolute")]
    [InlineData(null, "absolute")]
    [InlineData("https://user:pw@x/y", "authentication")]
    [InlineData("https://x/$$To", "placeholders")]
    public void Save_BadEndpoint_IsRefused(string? endpoint, string part) => Refused(Provider() with { Endpoint = endpoint }, "/endpoint", part);

    [Theory]
    [InlineData("Host", "x", "name", "belongs to the connection")]
    [InlineData("content-length", "1", "name", "belongs to the connection")]
    [InlineData("Transfer-Encoding", "x", "name", "belongs to the connection")]
    [InlineData("Connection", "x", "name", "belongs to the connection")]
    [InlineData("Expect", "x", "name", "belongs to the connection")]
    [InlineData("X Y", "x", "name", "token")]
    [InlineData("X:Y", "x", "name", "token")]
    [InlineData("", "x", "name", "token")]
    [InlineData("X", "a\r\nEvil: x", "value", "U+000D")]
    [InlineData("X", "a\0", "value", "U+0000")]
    [InlineData("X", "\u20ac", "value", "U+20AC")]
    [InlineData("X", null, "value", "missing")]
    [InlineData("X", "$$to", "value", "write $$To")]
    public void Save_BadHeader_SaysWhere(string name, string? value, string member, string part) =>
        Refused(Provider() with { Headers = [new("X-Fine", "v", null), new(name, value, null)] }, $"/headers/1/{member}", part);

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(1001)]
    [InlineData(null)]
    public void Save_BatchSizeOutOfRange_IsRefused(int? size) => Refused(Provider(Batched, new("msgs", size, null, null)), "/batch/size", "2 to 1000");

    [Fact]
    public void Save_BatchWithoutParameter_IsRefused() => Refused(Provider(Batched, new(null, 5, null, null)), "/batch/parameter", "Name the key");

    [Fact]
    public void Save_BatchOnGet_IsRefused() =>
        Refused(Provider("""{"to":"$$To"}""", new("to", 2, null, null)) with { RequestType = "GET" }, "/batch", "POST");

    [Theory]
    [InlineData(Batched, "records", "Keys are: cid, msgs")]
    [InlineData(Batched, "", "root array")]
    [InlineData("""{"msgs":[]}""", "msgs", "")]
    public void Save_UnknownBatchParameter_NamesTheKeys(string parameters, string parameter, string part) =>
        Refused(Provider(parameters, new(parameter, 2, null, null)), parameters == Batched ? "/batch/parameter" : "/parameters/msgs", part);

    [Theory]
    [InlineData("$$To")]
    [InlineData("$$MessageID")]
    [InlineData("$$MessageToken")]
    [InlineData("$$UnsubscribeURL")]
    [InlineData("$$ListUnsubscribe")]
    [InlineData("{{ profile.name }}")]
    public void Save_RecipientOutsideTheRepeatedPart_IsRefused(string value)
    {
        var shared = JsonSerializer.Serialize(value);
        Refused(Provider(Batched.Replace("{\"cid\"", $"{{\"g\":{shared},\"cid\"", StringComparison.Ordinal), new("msgs", 2, null, null)), "/parameters/g", "shared by the whole batch");
        Refused(Msgs() with { Headers = [new("X", value, null)] }, "/headers/0/value", "one set of headers");
    }

    [Fact]
    public void Save_MandatoryPlaceholders_AreAllNamedAtOnce()
    {
        var errors = RequestTemplate.Compile(Provider("{}")).Errors["/parameters"];
        Assert.All(["$$To", "$$Subject", "$$HTML", "$$FromName", "$$FromAddress"], name => Assert.Contains(errors, error => error.StartsWith(name + " is missing", StringComparison.Ordinal)));
        var get = RequestTemplate.Compile(Provider("{}") with { RequestType = "GET" }).Errors["/parameters"];
        Assert.DoesNotContain(get, error => error.Contains("$$HTML", StringComparison.Ordinal));
    }

    [Fact]
    public void Save_SeveralErrors_AreReportedTogether()
    {
        var provider = new ProviderContract
        {
            RequestType = "PUT",
            BodyFormat = "yaml",
            OnUnknown = "x",
            Authentication = new("basic", null, null),
            Limits = new(0, -1, 0),
            PreferenceCenter = new("customUrl", "x"),
            Answers = new("x"),
            Idempotency = new(0),
            Batch = new("a", 1, 1, -1),
        };
        var errors = RequestTemplate.Compile(provider).Errors;
        Assert.All(
            ["/nickname", "/requestType", "/endpoint", "/bodyFormat", "/onUnknown", "/authentication/username", "/authentication/password", "/limits/requestsPerSecond",
             "/limits/messagesPerSecond", "/limits/concurrency", "/preferenceCenter/url", "/answers/on500", "/idempotency/keyLifetimeSeconds", "/batch/size", "/batch/maxBytes",
             "/batch/lingerMilliseconds", "/parameters"],
            path => Assert.Contains(path, errors.Keys));
    }

    [Fact]
    public void Save_RetryWithoutBatchId_IsRefused()
    {
        Refused(Provider() with { OnUnknown = "retry", Idempotency = new(60) }, "/onUnknown", "$$BatchID");
        Refused(Provider() with { OnUnknown = "retry", Headers = [new("K", "$$BatchID", null)] }, "/idempotency", "keyLifetimeSeconds");
        Compile(Provider() with { OnUnknown = "retry", Headers = [new("K", "$$BatchID", null)], Idempotency = new(60) });
    }

    [Fact]
    public void Save_Doubtful_Warns()
    {
        Assert.Contains(Warnings(Provider(Whole.Replace("$$MessageID", "x", StringComparison.Ordinal))), warning => warning.StartsWith("$$MessageID", StringComparison.Ordinal));
        Assert.Contains(Warnings(Provider(Batched.Replace("\"}]", "\"},{\"seq\":2}]", StringComparison.Ordinal), new("msgs", 2, null, null))), warning => warning.Contains("only the first element", StringComparison.Ordinal));
        var scalar = Provider("""{"to":["$$To"],"s":"$$Subject","h":"$$HTML","f":"$$FromName","a":"$$FromAddress"}""", new("to", 2, null, null));
        Assert.Contains(Warnings(scalar), warning => warning.Contains("see each other", StringComparison.Ordinal));
        Assert.Empty(Warnings(Provider()));
        Assert.Empty(Warnings(Msgs()));
    }

    [Theory]
    [InlineData("Authorization", true)]
    [InlineData("X-Api-Key", true)]
    [InlineData("X-Postmark-Server-Token", true)]
    [InlineData("Content-Type", false)]
    public void Header_LooksLikeACredential_IsSecretByDefault(string name, bool secret)
    {
        Assert.Equal(secret, new HeaderContract(name, "v", null).IsSecret);
        Assert.Equal(!secret, new HeaderContract(name, "v", !secret).IsSecret);
    }

    private static IReadOnlyList<string> Warnings(ProviderContract provider)
    {
        Compile(provider);
        return RequestTemplate.Compile(provider).Warnings;
    }

    private static void Refused(ProviderContract provider, string path, string part)
    {
        var compilation = RequestTemplate.Compile(provider);
        Assert.Null(compilation.Template);
        Assert.True(compilation.Errors.ContainsKey(path), JsonSerializer.Serialize(compilation.Errors));
        Assert.Contains(compilation.Errors[path], message => message.Contains(part, StringComparison.Ordinal));
    }
}
