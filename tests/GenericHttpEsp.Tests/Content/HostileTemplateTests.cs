using System.Diagnostics;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

/// <summary>Each of these killed the process, hung it or ate its memory with Fluid alone.</summary>
public sealed class HostileTemplateTests
{
    private const string Doubled = "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..27) %}{% assign s = s | append: s %}{% endfor %}";
    private const string Big = "{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..15) %}{% assign s = s | append: s %}{% endfor %}";

    public static TheoryData<string> Refused =>
    [
        Repeated("{% if true %}", 3000),
        Repeated("{% for i in (1..2) %}", 3000),
        Repeated("{% if true %}", 3000) + Repeated("{% endif %}", 3000),
        "{{ a" + Repeated("[a", 20_000),
        "{{ " + Repeated("(", 20_000),
        "{% if true" + Repeated(" and true", 50_000) + " %}x{% endif %}",
        "{{ a" + Repeated(" | append: 'b'", 10_000) + " }}",
        "{{ a" + Repeated(".a", 50_000) + " }}",
        new string('x', (256 * 1024) + 1),
        "{{ '{0,999999}{0,999999}' | format_string: 1 }}",
        "{% include 'self' %}", "{% render 'self' %}", "{% layout 'x' %}", "{% macro a() %}{{ a() }}{% endmacro %}", "{% liquid if true %}",
        "{{ '" + Repeated("{% if true %}", 3000),
        "{% raw %}" + Repeated("{% if true %}", 3000),
        Repeated("{% raw %}{% end raw %}{% if true %}", 3000),
        Repeated("{% comment %}{%\u00a0endcomment %}{% if true %}", 3000),
        Repeated("{% if \"\\\" %}{% if true %}\" %}", 3000),
        Repeated("{{", 100_000), Repeated("{%", 100_000), Repeated("{{ a }}", 30_000),
    ];

    public static TheoryData<string> Limited =>
    [
        "{% for i in (1..10000000) %}{% endfor %}",
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% assign r = (1..9999999999999) %}",
        "{% for i in (1..10000) %}{% for j in (1..10000) %}{% endfor %}{% endfor %}",
        "{% for i in (1..10000) %}{% assign x = (1..10000) | size %}{% endfor %}",
        Doubled,
        Doubled.Replace("append", "prepend", StringComparison.Ordinal),
        Big + "{% assign t = s | replace: 'a', s %}",
        Big + "{% assign t = s | replace: '', s %}",
        Big + "{% assign t = s | split: '' %}",
        Big + "{% assign a = s | split: '#' %}{% for i in (1..12) %}{% assign a = a | concat: a %}{% endfor %}{% assign t = a | join: s %}",
        Big + "{% assign a = s | split: '#' %}{% for i in (1..12) %}{% assign a = a | concat: a %}{% endfor %}{{ a | json }}",
        Big + "{% for i in (1..10000) %}{{ s }}{% endfor %}",
        Big + "{% capture c %}{% for i in (1..10000) %}{{ s }}{% endfor %}{% endcapture %}",
        Big + "{% assign t = s | append: 'b' %}{% for i in (1..10000) %}{% if t contains s %}{% endif %}{% endfor %}",
        Big + "{% capture t %}{{ s }}b{% endcapture %}{% capture u %}{{ s }}c{% endcapture %}{% for i in (1..10000) %}{% if t == u %}{% endif %}{% endfor %}",
        Big + "{% for i in (1..10000) %}{% assign t = s | upcase | downcase | url_encode %}{% endfor %}",
        "{{ 1 | format_number: 'N999999999' }}",
        "{{ profile | json }}{% assign x = 1 | divided_by: 0 %}",
        "{% for i in (1..10000) %}{% for j in (1..9) %}{% cycle 'a', 'b' %}{% increment x %}{% endfor %}{% endfor %}",
        "{% tablerow i in (1..10000) cols:1 %}" + new string('x', 200) + "{% endtablerow %}",
    ];

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Parse_Hostile_IsRefusedQuickly(string source)
    {
        var watch = Stopwatch.StartNew();
        var (template, errors) = LiquidTemplate.Parse(source, html: true);
        Assert.Null(template);
        Assert.NotEmpty(errors);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);
    }

    [Theory]
    [MemberData(nameof(Limited), DisableDiscoveryEnumeration = true)]
    public void Render_Hostile_FailsWithinLimits(string source)
    {
        var template = LiquidSample.Parse(source);
        LiquidSample.Render(LiquidSample.Parse("warm {{ profile.name }}"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        var (_, failure) = LiquidSample.Render(template);
        Assert.NotNull(failure);
        TestContext.Current.TestOutputHelper?.WriteLine($"{failure} {watch.ElapsedMilliseconds} ms {GC.GetAllocatedBytesForCurrentThread() - before:N0} B");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000_000);
    }

    /// <summary>What stays below the limits parses in time, whatever its shape, and renders without harm to the stack.</summary>
    [Theory]
    [InlineData("{% if true %}", "{% endif %}", 100)]
    [InlineData("{% for i in (1..1) %}", "{% endfor %}", 100)]
    [InlineData("{% unless false %}", "{% endunless %}", 100)]
    [InlineData("{% case 1 %}{% when 1 %}", "{% endcase %}", 100)]
    [InlineData("{% capture x %}", "{% endcapture %}", 100)]
    [InlineData("{% tablerow i in (1..1) %}", "{% endtablerow %}", 90)]
    public void Parse_DeepestAllowed_IsQuick(string open, string close, int depth)
    {
        var watch = Stopwatch.StartNew();
        var template = LiquidSample.Parse(Repeated(open, depth) + "x" + Repeated(close, depth));
        LiquidSample.Render(template);
        // The same, broken at the innermost place: no exponential backtracking.
        LiquidTemplate.Parse(Repeated(open, depth) + "{{ | }}" + Repeated(close, depth), html: false);
        LiquidTemplate.Parse(Repeated(open, depth), html: false);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);
    }

    [Fact]
    public void Parse_BracketsAtTheLimit_IsQuick()
    {
        var watch = Stopwatch.StartNew();
        LiquidTemplate.Parse("{{ a" + Repeated("[a", 100) + Repeated("]", 100) + " }}", html: false);
        LiquidTemplate.Parse("{{ " + Repeated("(", 100) + " }}", html: false);
        LiquidTemplate.Parse("{{ a" + Repeated("[a", 100) + " }}", html: false);
        LiquidTemplate.Parse("{% if a" + Repeated(" and a", 190) + " %}{% endif %}", html: false);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);
    }

    /// <summary>The deepest that is allowed, parsed and rendered from a thread with a sixth of the smallest default stack.</summary>
    [Theory]
    [InlineData("{% if true %}", "{% endif %}")]
    [InlineData("{% for i in (1..1) %}", "{% endfor %}")]
    [InlineData("{% capture x %}", "{% endcapture %}")]
    [InlineData("{% case 1 %}{% when 1 %}", "{% endcase %}")]
    public void Template_Deepest_NeedsLittleStack(string open, string close)
    {
        var brackets = "{{ a" + Repeated("[a", 100) + Repeated("]", 100) + " }}{% if a" + Repeated(" and a", 99) + " %}x{% endif %}";
        var deep = Repeated(open, 99) + brackets + Repeated(close, 99);
        var failure = (RenderFailure?)new RenderFailure(RenderFailureReason.TemplateError, "not run");
        var thread = new Thread(() => failure = LiquidSample.Render(LiquidSample.Parse(deep)).Failure, 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    public static TheoryData<string> Filters => [.. LiquidSetup.Options.Filters.Select(filter => filter.Key)];

    /// <summary>No filter is slow by itself on the largest text, whatever it searches for.</summary>
    [Theory]
    [MemberData(nameof(Filters))]
    public void Filter_LargestText_EndsInTime(string name)
    {
        foreach (var letter in "a<& -\n9\u00e9[")
        {
            var recipient = RecipientModel.FromValues(1, "a@b.c", new Dictionary<string, object?> { ["s"] = new string(letter, 100_000), ["t"] = new string(letter, 600) });
            var watch = Stopwatch.StartNew();
            foreach (var arguments in (string[])["", ": 'x'", ": profile.t", ": profile.s, 'y'", ": 5, profile.t"])
            {
                LiquidSample.Render(LiquidSample.Parse($"{{{{ profile.s | {name}{arguments} }}}}"), recipient);
            }
            Assert.InRange(watch.ElapsedMilliseconds, 0, 3_000);
        }
    }

    private static string Repeated(string part, int times) => string.Concat(Enumerable.Repeat(part, times));
}
