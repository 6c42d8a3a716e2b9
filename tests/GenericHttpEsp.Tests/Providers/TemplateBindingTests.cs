using System.Text.Json;
using GenericHttpEsp.Providers;
using static GenericHttpEsp.Tests.Providers.TemplateSample;

namespace GenericHttpEsp.Tests.Providers;

public sealed class TemplateBindingTests
{
    private const string Shared = """{"s":"$$Subject","h":"$$HTML","hid":"$$hid","f":"$$FromName","a":"$$FromAddress","to":["$$To"]}""";

    [Fact]
    public void Bind_EmptyRequired_SaysWhere()
    {
        var errors = Compile(Provider()).Bind(new CampaignContent(), Run).Errors;
        Assert.Equal(["/fromAddress", "/fromName", "/html", "/subject", "/values/hid"], errors.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Bind_BrokenLiquid_SaysLineAndColumn()
    {
        var errors = Compile(Provider()).Bind(Campaign with { Html = "a\n{{ profile.x | nosuch }}", Subject = "{% include 'x' %}" }, Run).Errors;
        Assert.StartsWith("Line 2, column", errors["/html"][0], StringComparison.Ordinal);
        Assert.StartsWith("Line 1, column 1", errors["/subject"][0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/subject")]
    [InlineData("/html")]
    [InlineData("/fromName")]
    [InlineData("/values/hid")]
    public void Bind_ProfileInASharedPlace_IsRefused(string path)
    {
        var plain = Campaign with { Subject = "s", Html = "h" };
        var campaign = path switch
        {
            "/subject" => plain with { Subject = "{{ profile.x }}" },
            "/html" => plain with { Html = "{{ unsubscribeUrl }}" },
            "/fromName" => plain with { FromName = "{{ profile.x }}" },
            _ => plain with { Values = new Dictionary<string, JsonElement> { ["hid"] = JsonSerializer.SerializeToElement("{{ profile.x }}") } },
        };
        var template = Compile(Provider(Shared, new("to", 5, null, null)));
        Assert.NotNull(template.Bind(plain, Run).Template);
        var binding = template.Bind(campaign, Run);
        Assert.Null(binding.Template);
        Assert.Equal([path], binding.Errors.Keys);
    }

    [Fact]
    public void Bind_SameForAll_IsRenderedOnce()
    {
        var template = Bind(Provider(), Campaign with { Subject = "{{ 'now' | date: '%Y' }}", Html = "{% for i in (1..3) %}{{ i }}{% endfor %}" });
        var json = Request(template, Sara()).Json();
        Assert.Equal(("2026", "123"), (json.GetProperty("subject").GetString(), json.GetProperty("htmlContent").GetString()));
    }

    [Fact]
    public void Bind_HostileTextWithoutProfile_IsRefused() =>
        Assert.Contains("/html", Compile(Provider()).Bind(Campaign with { Html = "{% for i in (1..99999999) %}x{% endfor %}" }, Run).Errors.Keys);

    [Fact]
    public void Bind_LongVariant_IsRefused() =>
        Assert.Contains("/variant", Compile(Provider()).Bind(Campaign, Run with { Variant = new string('v', 40) }).Errors.Keys);

    [Fact]
    public void CustomPlaceholders_OfATemplate_AreListed() =>
        Assert.Equal(["A_1", "hid"], Compile(Provider(Whole.Replace("{\"to\"", "{\"x\":\"$$A_1-$$hid\",\"to\"", StringComparison.Ordinal))).CustomPlaceholders);
}
