using System.Text;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

/// <summary>Renders one text as dispatch would.</summary>
internal static class LiquidSample
{
    public static readonly DateTimeOffset Now = new(2026, 11, 5, 9, 30, 0, TimeSpan.Zero);

    public static readonly RenderScope Scope = new(Now, recipient => $"https://x/u/{recipient.Id}", null);

    public static RecipientModel Sara(string attributes = """{"name":"Sara","city":"Köln","n":3,"list":["a","b"],"address":{"street":"Main <1>"}}""") =>
        RecipientModel.FromJson(7, "sara@example.com", Encoding.UTF8.GetBytes(attributes));

    public static LiquidTemplate Parse(string source, bool html = false)
    {
        var (template, errors) = LiquidTemplate.Parse(source, html);
        Assert.True(template is not null, string.Join("; ", errors));
        return template;
    }

    public static (string Text, RenderFailure? Failure) Render(
        LiquidTemplate template, RecipientModel? recipient = null, ValuePlace place = ValuePlace.PlainText, bool singleLine = false)
    {
        using var scratch = new RenderScratch(TimeProvider.System);
        using var output = new Utf8Buffer();
        var failure = template.Render(recipient ?? Sara(), Scope, place, singleLine, scratch, output);
        return (Encoding.UTF8.GetString(output.WrittenSpan), failure);
    }

    public static string Text(string source, bool html = false, RecipientModel? recipient = null, ValuePlace place = ValuePlace.PlainText, bool singleLine = false)
    {
        var (text, failure) = Render(Parse(source, html), recipient, place, singleLine);
        Assert.Null(failure);
        return text;
    }
}
