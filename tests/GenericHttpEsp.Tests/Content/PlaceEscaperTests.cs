using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using FsCheck.Xunit;
using GenericHttpEsp.Content;

namespace GenericHttpEsp.Tests.Content;

public sealed class PlaceEscaperTests
{
    [Property(MaxTest = 500)]
    public void JsonString_AnyText_ReadsBack(string? text)
    {
        var json = "\"" + Escaped(text, ValuePlace.JsonString) + "\"";
        Assert.Equal(Whole(text), JsonDocument.Parse(json).RootElement.GetString());
    }

    [Property(MaxTest = 500)]
    public void QueryComponent_AnyText_ReadsBackAndIsHarmless(string? text)
    {
        var escaped = Escaped(text, ValuePlace.QueryComponent);
        Assert.Equal(Whole(text), Uri.UnescapeDataString(escaped));
        Assert.All(escaped, letter => Assert.True(char.IsAsciiLetterOrDigit(letter) || "-._~*%".Contains(letter)));
    }

    [Property(MaxTest = 500)]
    public void FormValue_AnyText_ReadsBack(string? text) =>
        Assert.Equal(Whole(text), WebUtility.UrlDecode(Escaped(text, ValuePlace.FormValue)));

    [Property(MaxTest = 500)]
    public void XmlText_AnyText_ReadsBackWithoutForbiddenCharacters(string? text)
    {
        var escaped = Escaped(text, ValuePlace.XmlText);
        var allowed = string.Concat(Whole(text).EnumerateRunes().Where(rune => IsXml(rune.Value)));
        Assert.Equal(allowed, XElement.Parse($"<a>{escaped}</a>", LoadOptions.PreserveWhitespace).Value);
        Assert.Equal(allowed, XElement.Parse($"<a b=\"{Escaped(text, ValuePlace.XmlAttribute)}\"/>").Attribute("b")!.Value);
    }

    [Property(MaxTest = 500)]
    public void HeaderValue_AnyText_HasNoControls(string? text) =>
        Assert.DoesNotContain(Escaped("x\r\nX-Evil: y\0" + text, ValuePlace.HeaderValue).ToCharArray(), letter => letter is < ' ' or '\u007f');

    [Theory]
    [InlineData(ValuePlace.JsonString)]
    [InlineData(ValuePlace.XmlText)]
    [InlineData(ValuePlace.XmlAttribute)]
    [InlineData(ValuePlace.FormValue)]
    [InlineData(ValuePlace.QueryComponent)]
    [InlineData(ValuePlace.HeaderValue)]
    [InlineData(ValuePlace.PlainText)]
    public void Write_LoneSurrogate_BecomesReplacement(ValuePlace place) =>
        Assert.Equal(Escaped("a\ufffdb", place), Escaped("a\ud800b", place));

    [Theory]
    [InlineData(ValuePlace.JsonString)]
    [InlineData(ValuePlace.XmlText)]
    [InlineData(ValuePlace.QueryComponent)]
    public void Write_LongText_IsTheSameFromCharactersAndBytes(ValuePlace place)
    {
        var text = string.Concat(Enumerable.Repeat("Grüße an \"Zoë\" \U0001f600 & \uffff <b>\\ ", 2000));
        using var buffer = new Utf8Buffer();
        PlaceEscaper.Write(Encoding.UTF8.GetBytes(text), place, buffer);
        Assert.Equal(Escaped(text, place), Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    [Fact]
    public void JsonString_NonAscii_StaysAsItIs() => Assert.Equal("Zoë \\\"\\\\\\n\\u0001/", Escaped("Zoë \"\\\n\u0001/", ValuePlace.JsonString));

    private static bool IsXml(int code) => code is 9 or 10 or 13 or (>= 0x20 and <= 0xd7ff) or (>= 0xe000 and <= 0xfffd) or >= 0x10000;

    private static string Whole(string? text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));

    private static string Escaped(string? text, ValuePlace place)
    {
        using var buffer = new Utf8Buffer();
        PlaceEscaper.Write(text.AsSpan(), place, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
