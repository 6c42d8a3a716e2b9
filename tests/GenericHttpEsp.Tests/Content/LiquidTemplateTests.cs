using System.Text.Json;
using Fluid;
using FsCheck.Xunit;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

public sealed class LiquidTemplateTests
{
    [Theory]
    [InlineData("Hi {{profile.name}}", "Hi Sara")]
    [InlineData("Hi {{ Profile.name }}", "Hi Sara")]
    [InlineData("[{{ profile.Name }}]", "[]")]
    [InlineData("[{{ profile.unknown.deeper }}{{ nothing }}]", "[]")]
    [InlineData("{{ profile.email }}", "sara@example.com")]
    [InlineData("{{ profile.n | plus: 1 }}", "4")]
    [InlineData("{{ profile.address.street }}", "Main <1>")]
    [InlineData("{% for x in profile.list %}{{ x }}{% unless forloop.last %},{% endunless %}{% endfor %}", "a,b")]
    [InlineData("{% if profile.n == 3 and profile.city contains 'öl' %}yes{% else %}no{% endif %}", "yes")]
    [InlineData("{% capture x %}<{{ profile.name }}>{% endcapture %}{{ x }}{{ x }}", "<Sara><Sara>")]
    [InlineData("{% raw %}{{ profile.name }}{% endraw %}{% comment %}{% if %}{% endcomment %}.", "{{ profile.name }}.")]
    [InlineData("{% for i in (1..3) reversed %}{{ i }}{% endfor %}", "321")]
    [InlineData("{{ 'now' | date: '%Y-%m-%d' }} {{ now | date: '%H:%M' }}", "2026-11-05 09:30")]
    [InlineData("{{ profile.name | default: 'friend' }} {{ profile.zip | default: 'friend' }}", "Sara friend")]
    [InlineData("a  {%- if true -%}  b  {%- endif %}", "ab")]
    [InlineData("{% case profile.n %}{% when 1, 3 %}x{% else %}y{% endcase %}", "x")]
    [InlineData("{{ unsubscribeUrl }}", "https://x/u/7")]
    [InlineData("{{ 'aXbXc' | replace: 'X', '--' | append: '!' }}", "a--b--c!")]
    [InlineData("$$HTML {{ '{{ profile.name }}' }}", "$$HTML {{ profile.name }}")]
    public void Render_Text_IsAsLiquidSays(string source, string expected) => Assert.Equal(expected, LiquidSample.Text(source));

    [Theory]
    [InlineData("{{ profile.address.street }}", "Main &lt;1&gt;")]
    [InlineData("{{ profile.address.street | raw }}", "Main <1>")]
    [InlineData("<p>{{ profile.city }}</p>", "<p>Köln</p>")]
    [InlineData("{% capture x %}<b>{{ profile.address.street }}</b>{% endcapture %}{{ x }}", "<b>Main &lt;1&gt;</b>")]
    public void Render_Html_EscapesOutputOnly(string source, string expected) => Assert.Equal(expected, LiquidSample.Text(source, html: true));

    /// <summary>Our nodes in its tree change nothing that is within the limits.</summary>
    [Theory]
    [InlineData("{% if n == 1 %}a{% elsif n == 3 %}b{% else %}c{% endif %}{% if n > 1 and n < 9 or false %}d{% endif %}{% if n != 3 %}x{% else %} y {% endif %}")]
    [InlineData("{% unless n == 3 %}a{% else %}b{% endunless %}{% case n %}{% when 1 %}x{% when 2 or 3 %}y{% else %}z{% endcase %}")]
    [InlineData("{% for i in list offset: 1 limit: 2 %}{{ forloop.index }}{{ i }} {% if i == 'd' %}{% break %}{% endif %}{% continue %}x{% endfor %}")]
    [InlineData("{% for i in (1..n) %}{% for j in (i..n) reversed %}{{ parentloop.index }}{{ j }}{% endfor %}{% endfor %}{% for i in nothing %}{% else %}none{% endfor %}")]
    [InlineData("{% tablerow i in list cols: 2 %}{{ i }}{% endtablerow %}{% for i in list %}{% cycle 'a', 'b' %}{% increment x %}{% decrement y %}{% endfor %}")]
    [InlineData("{% for i in list %}{% ifchanged %}{{ n }}{% endifchanged %}{% endfor %}{% assign a = list | join: '-' | upcase %}{{ a }}{{ list | first }}{{ list.size }}")]
    [InlineData(" {%- if list contains 'b' -%} x {%- endif -%} {{- n -}} {% raw %} {{ y }} {% endraw %} {%- comment %} z {% endcomment -%} q")]
    [InlineData("{% capture c %}[{{ n | times: 2.5 }}]{% endcapture %}{{ c }}{{ c | size }}{{ list[1] }}{{ list[n] }}{{ d.k }}{{ d['k'] }}{% for p in d %}{{ p[0] }}={{ p[1] }}{% endfor %}")]
    public void Render_WithinLimits_IsAsFluidAloneWould(string source)
    {
        var model = new Dictionary<string, object?> { ["n"] = 3, ["list"] = (string[])["a", "b", "d", "d"], ["d"] = new Dictionary<string, object> { ["k"] = "v" } };
        Assert.True(new FluidParser().TryParse(source, out var plain, out var error), error);
        var expected = plain.Render(new TemplateContext(model, new TemplateOptions()));
        var assigned = "{% assign n = profile.n %}{% assign list = profile.list %}{% assign d = profile.d %}";
        Assert.Equal(expected, LiquidSample.Text(assigned + source, false, RecipientModel.FromValues(1, "a@b.c", model)));
    }

    [Property(MaxTest = 200)]
    public void Render_AnyAttribute_ReadsBackFromJson(string? value)
    {
        var whole = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(value ?? ""));
        var recipient = RecipientModel.FromValues(1, "a@b.c", new Dictionary<string, object?> { ["x"] = whole });
        var json = "\"[" + LiquidSample.Text("{{ profile.x }}", false, recipient, ValuePlace.JsonString) + "]\"";
        Assert.Equal($"[{whole}]", JsonDocument.Parse(json).RootElement.GetString());
    }

    [Fact]
    public void Render_SingleLine_TurnsControlsAndBidiIntoSpaces()
    {
        var recipient = RecipientModel.FromValues(1, "a@b.c", new Dictionary<string, object?> { ["x"] = "a\r\nBcc: b\u202ec\0" });
        Assert.Equal("s a  Bcc: b c ", LiquidSample.Text("s\n{{ profile.x }}", false, recipient, singleLine: true));
    }

    [Fact]
    public void Render_SurrogatesSplitOverWrites_AreJoined() =>
        Assert.Equal("\U0001f600", LiquidSample.Text("{% assign s = '\U0001f600' %}{{ s | slice: 0, 1 }}{{ s | slice: 1, 1 }}"));

    [Theory]
    [InlineData("plain", true, false)]
    [InlineData("{{ 'now' | date: '%Y' }}", false, false)]
    [InlineData("{{ profile.x }}", false, true)]
    [InlineData("{% if Profile['x'] %}a{% endif %}", false, true)]
    [InlineData("{{ 'a' | append: profile.x }}", false, true)]
    [InlineData("{% assign p = profile %}{{ p.x }}", false, true)]
    [InlineData("{{ now[profile.x] }}", false, true)]
    [InlineData("{% for i in (1..profile.n) %}{% endfor %}", false, true)]
    [InlineData("{% case 1 %}{% when profile.n %}{% endcase %}", false, true)]
    [InlineData("{% cycle profile.a, 'b' %}", false, true)]
    [InlineData("{% capture x %}{{ profile.x }}{% endcapture %}", false, true)]
    [InlineData("{% for i in list %}x{% else %}{{ profile.x }}{% endfor %}", false, true)]
    [InlineData("{% unless true %}{% else %}{{ profile.x }}{% endunless %}{% if true %}{% elsif profile.x %}{% endif %}", false, true)]
    [InlineData("{% for i in (1..2) limit: profile.n %}x{% endfor %}", false, true)]
    [InlineData("{% tablerow i in (1..2) cols: profile.n %}x{% endtablerow %}", false, true)]
    [InlineData("{% ifchanged %}{{ profile.n }}{% endifchanged %}", false, true)]
    [InlineData("{% echo profile.n %}", false, true)]
    [InlineData("{{ unsubscribeUrl }}", false, true)]
    public void Parse_Source_KnowsWhatItDependsOn(string source, bool isStatic, bool dependsOnRecipient)
    {
        var template = LiquidSample.Parse(source);
        Assert.Equal((isStatic, dependsOnRecipient), (template.IsStatic, template.DependsOnRecipient));
    }

    [Theory]
    [InlineData("a\nb {{ profile.x | nosuch }}", 2, "Unknown filter 'nosuch'")]
    [InlineData("a\n  {% include 'x' %}", 2, "loads other templates")]
    [InlineData("{% if profile.x %}", 1, "endif")]
    [InlineData("{{ profile.x ", 1, "never closed")]
    [InlineData("{% nosuch %}", 1, "Unknown tag 'nosuch'")]
    [InlineData("{% raw %} {% ENDRAW %}", 1, "endraw")]
    public void Parse_Broken_SaysWhereAndWhat(string source, int line, string part)
    {
        var (template, errors) = LiquidTemplate.Parse(source, html: false);
        Assert.Null(template);
        Assert.Equal(line, errors[0].Line);
        Assert.Contains(part, errors[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    public void Render_BrokenAttributes_FailsAlone(string attributes)
    {
        var (_, failure) = LiquidSample.Render(LiquidSample.Parse("{{ profile.a }}"), LiquidSample.Sara(attributes));
        Assert.Equal(RenderFailureReason.BadAttributes, failure?.Reason);
    }
}
