using FsCheck.Xunit;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

/// <summary>Whatever stands in a template: a refusal or a failure is a value, never an exception.</summary>
public sealed class LiquidFuzzTests
{
    private static readonly string[] Fragments =
    [
        "{{", "}}", "{%", "%}", "{%-", "-%}", "{{-", "-}}", " ", "\n", "if ", "endif ", "for i in ", "endfor ", "(1..", "3)", "profile", ".name", ".list", "[", "]", "'", "\"", "\\", "|", ":", ",",
        " append: ", " date: ", " join: ", " split: ", " slice: ", " truncate: ", "==", "<", "contains ", "and ", "or ", "assign x = ", "capture x ", "endcapture ", "case ", "when ", "endcase ", "else ",
        "elsif ", "raw ", "endraw ", "comment ", "endcomment ", "cycle ", "tablerow i in ", "endtablerow ", "increment x", "99999999999999999999999999999999999999", "-1", "1.5", "nil", "empty", "true",
        "now", "'now'", "é\U0001f600", "\0", "<b>", "reversed", "limit:", "offset:", "continue", "break", "x", "i", "#",
    ];

    private static readonly string[] Whole =
    [
        "{{ profile.name | append: profile.list | slice: -9999999999, 99999999999 }}", "{{ profile.list | slice: 1, -5 }}", "{% for i in profile %}{{ i }}{% endfor %}", "{{ 1 | divided_by: 'x' }}",
        "{% for i in (1..3) limit: -1 offset: 99999999999999 %}{{ i }}{% endfor %}", "{{ 1 | times: 99999999999999999999999999999 | times: 99999999999999999999 }}", "{{ profile.list[99999999999] }}",
        "{% tablerow i in profile.list cols: 0 %}{{ i }}{% endtablerow %}", "{{ 'x' | truncate: -5 }}", "{% assign profile = 1 %}{{ profile.name }}", "{{ profile.list | sort: 'x' | map: 'y' | where: 'z', 1 }}",
        "{{ 'now' | date: '%' }}", "{{ 'zz' | date: '%Q%Z%N%99N' }}", "{{ 5 | format_number: 'X' }}", "{{ 'a' | base64_decode }}", "{{ nil | json }}", "{{ profile | json }}",
    ];

    [Property(MaxTest = 2000)]
    public void ParseAndRender_AnyFragments_NeverThrow(int seed, byte length)
    {
        var random = new Random(seed);
        var source = string.Concat(Enumerable.Range(0, length % 40).Select(_ => random.Next(6) == 0 ? Whole[random.Next(Whole.Length)] : Fragments[random.Next(Fragments.Length)]));
        RenderIfParsed(source);
        RenderIfParsed("{{ " + source + " }}");
        RenderIfParsed("{% if " + source + " %}x{% endif %}");
    }

    [Fact]
    public void Render_EveryWhole_NeverThrows() => Assert.All(Whole, RenderIfParsed);

    private static void RenderIfParsed(string source)
    {
        var (template, errors) = LiquidTemplate.Parse(source, html: true);
        Assert.Equal(template is null, errors.Count > 0);
        if (template is not null)
        {
            LiquidSample.Render(template, place: ValuePlace.JsonString);
        }
    }
}
